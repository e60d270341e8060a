interface Stream {
  readonly kind: string;
  readonly send: (line: string) => void;
  readonly end: () => void;
}

/**
 * The engine's answers that do not end. A kind is the stream's first word, and for statistics the container's id.
 *
 * @param cutsLines whether the next line of any stream is cut in its middle, which ends the stream
 */
export function createStreams(cutsLines: () => boolean) {
  const streams = new Set<Stream>();
  const ofKind = (kind: string) => [...streams].filter((stream) => stream.kind.startsWith(kind));

  /** @param begin starts what sends, and gives what stops it */
  function open(kind: string, begin: (send: Stream["send"]) => () => void): Response {
    let finish = () => {};
    const body = new ReadableStream<string>({
      start(controller) {
        // Bun keeps the headers back until a first byte; Docker sends them at once.
        controller.enqueue("\n");
        let isOpen = true;
        const self: Stream = {
          kind,
          send(line) {
            if (!isOpen) return;
            const cut = cutsLines();
            controller.enqueue(cut ? line.slice(0, line.length / 2) : `${line}\n`);
            if (cut) self.end();
          },
          end() {
            if (!isOpen) return;
            finish();
            controller.close();
          },
        };
        let stop = () => {};
        finish = () => {
          isOpen = false;
          streams.delete(self);
          stop();
        };
        streams.add(self);
        const begun = begin(self.send);
        if (isOpen) stop = begun;
        else begun();
      },
      cancel: () => finish(),
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), { headers: { "content-type": "application/json" } });
  }

  return {
    open,
    send(kind: string, line: string): void {
      for (const stream of ofKind(kind)) stream.send(line);
    },
    end(kind: string): void {
      for (const stream of ofKind(kind)) stream.end();
    },
    count: (kind: string) => ofKind(kind).length,
  };
}
