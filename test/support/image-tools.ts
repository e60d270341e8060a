/**
 * What the tests of the image run in containers beside it, as one program:
 * `serve PORT NAME=ADDRESS` is STS, and a DNS server that knows one name; `client` asks as an application does.
 */
import { fromContainerMetadata } from "@aws-sdk/credential-providers";
import { startFakeAws } from "./fake-aws.ts";

/** The question comes back with a bit set that says answer, and with one record behind it. */
function answerQuestion(question: Uint8Array, known: string, address: string): Uint8Array {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(new TextDecoder().decode(question.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  const isAddress = question[at + 2] === 1;
  const isKnown = labels.join(".").toLowerCase() === known;
  const record =
    isKnown && isAddress ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address.split(".").map(Number)] : [];
  const answer = Uint8Array.from([...question.subarray(0, at + 5), ...record]);
  // Answer, recursion offered; 3 is "no such name"; one question, so many records, and nothing more.
  answer.set([0x81, isKnown ? 0x80 : 0x83, 0, 1, 0, record.length > 0 ? 1 : 0, 0, 0, 0, 0], 2);
  return answer;
}

async function serve(port: number, [name = "", address = ""]: string[]): Promise<void> {
  startFakeAws(undefined, { hostname: "0.0.0.0", port });
  const socket = await Bun.udpSocket({
    port: 53,
    socket: {
      data: (from, question, peerPort, peer) => void from.send(answerQuestion(question, name, address), peerPort, peer),
    },
  });
  console.log(`serving, and ${name} on ${socket.port}`);
}

async function client(): Promise<void> {
  const { accessKeyId, expiration } = await fromContainerMetadata()();
  const metadata = await fetch(process.env.ECS_CONTAINER_METADATA_URI_V4 ?? "");
  const { DockerId } = (await metadata.json()) as { DockerId: string };
  console.log(JSON.stringify({ accessKeyId, expiration, DockerId }));
}

const [command, port = "", record = ""] = process.argv.slice(2);
await (command === "serve" ? serve(Number(port), record.split("=")) : client());
