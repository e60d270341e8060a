export type LogLevel = "debug" | "info" | "warning" | "error";
export type LogFormat = "text" | "json";

/**
 * Everything that a line of the log may carry beside its event. The set is closed so that a secret has no field to
 * travel in: no field takes an object, a header, a body or an error as it was caught.
 */
export interface Fields {
  readonly address?: string;
  readonly attempt?: number;
  readonly cached?: boolean;
  readonly caller?: string;
  readonly cause?: string;
  readonly code?: string;
  readonly container?: string;
  readonly containers?: number;
  readonly endpoint?: string;
  readonly expiration?: string;
  readonly hint?: string;
  readonly identity?: string;
  readonly lines?: number;
  readonly networks?: number;
  readonly origin?: string;
  readonly outcome?: string;
  readonly path?: string;
  readonly port?: number;
  /** Who can reach an address that we listen on. */
  readonly reach?: string;
  readonly role?: string;
  readonly signal?: string;
  readonly status?: number;
  readonly target?: string;
  readonly variable?: string;
  readonly version?: string;
  readonly warning?: string;
}

/** `event` is a plain statement of what happened, lower case, without a full stop; `fields` are not changed afterwards. */
export type Write = (event: string, fields?: Fields) => void;

export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warning: Write;
  readonly error: Write;
  /** Writes what is still buffered. */
  readonly flush: () => void;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];
const FLUSH_AFTER_MS = 50;
const BUFFERED_CHARACTERS_MAX = 1024 * 1024;

/**
 * Makes the log: one line an event, buffered for at most 50 ms so that a line costs a request no system call.
 *
 * @param options.write takes whole lines, already ended; beyond 1 MiB between two writes lines are dropped and counted
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly write: (lines: string) => void;
}): Log {
  const render = options.format === "json" ? renderJson : renderText;
  let lines = "";
  let dropped = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (dropped > 0) lines += `${render(timeNow(), "warning", "lines of the log were dropped", { lines: dropped })}\n`;
    const text = lines;
    lines = "";
    dropped = 0;
    if (text !== "") options.write(text);
  }

  function writer(level: LogLevel): Write {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level)) return () => {};
    return (event, fields = {}) => {
      if (lines.length > BUFFERED_CHARACTERS_MAX) {
        dropped += 1;
        return;
      }
      lines += `${render(timeNow(), level, event, fields)}\n`;
      timer ??= setTimeout(flush, FLUSH_AFTER_MS);
    };
  }

  return { debug: writer("debug"), info: writer("info"), warning: writer("warning"), error: writer("error"), flush };
}

let lastMs = Number.NaN;
let lastTime = "";

/** Many lines fall into one millisecond, and a date takes longer to write than the rest of a line. */
function timeNow(): string {
  const now = Date.now();
  if (now !== lastMs) {
    lastMs = now;
    lastTime = new Date(now).toISOString();
  }
  return lastTime;
}

type Render = (time: string, level: LogLevel, event: string, fields: Fields) => string;

const rendered = new WeakMap<Fields, string>();

const renderText: Render = (time, level, event, fields) => {
  let text = rendered.get(fields);
  if (text === undefined) {
    text = "";
    for (const name in fields) {
      const value = fields[name as keyof Fields];
      if (value !== undefined) text += ` ${name}=${typeof value === "string" ? quoted(value) : value}`;
    }
    rendered.set(fields, text);
  }
  return `${time} ${level} ${event}${text}`;
};

/** A line break in what a caller chose would forge a line of the log: values are quoted, events are our own words. */
function quoted(value: string): string {
  if (value === "") return '""';
  if (/^[\w.:/@,+-]+$/.test(value)) return value;
  // What a terminal would obey beside line breaks, which JSON leaves as it is.
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const renderJson: Render = (time, level, event, fields) => JSON.stringify({ time, level, event, ...fields });
