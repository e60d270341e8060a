import { configureSync, getLogger, type LogRecord } from "@logtape/logtape";
import type { LogFormat, LogLevel } from "./config.ts";

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
  readonly networks?: number;
  readonly outcome?: string;
  readonly path?: string;
  readonly port?: number;
  readonly role?: string;
  readonly signal?: string;
  readonly status?: number;
  readonly target?: string;
  readonly variable?: string;
  readonly version?: string;
  readonly warning?: string;
}

/** `event` is a plain statement of what happened, lower case, without a full stop. */
export type Write = (event: string, fields?: Fields) => void;

export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warning: Write;
  readonly error: Write;
  /** Writes what is still buffered. */
  readonly flush: () => void;
}

const CATEGORY = "ecs-local-endpoints";
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
  let buffered = "";
  let dropped = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (buffered === "") return;
    const lines = dropped === 0 ? buffered : `${buffered}${dropped} lines of the log were dropped\n`;
    buffered = "";
    dropped = 0;
    options.write(lines);
  }

  function sink(record: LogRecord): void {
    if (buffered.length > BUFFERED_CHARACTERS_MAX) {
      dropped += 1;
      return;
    }
    buffered += `${render(record)}\n`;
    timer ??= setTimeout(flush, FLUSH_AFTER_MS);
  }

  configureSync({
    reset: true,
    sinks: { lines: sink },
    loggers: [
      { category: [CATEGORY], sinks: ["lines"], lowestLevel: options.level },
      // LogTape announces itself at every start unless its own category is told to be quiet.
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
  });
  const logger = getLogger([CATEGORY]);
  return {
    debug: (event, fields) => logger.debug(event, { ...fields }),
    info: (event, fields) => logger.info(event, { ...fields }),
    warning: (event, fields) => logger.warning(event, { ...fields }),
    error: (event, fields) => logger.error(event, { ...fields }),
    flush,
  };
}

let lastMs = Number.NaN;
let lastTime = "";

/** Many lines fall into one millisecond, and a date takes longer to write than the rest of a line. */
function timeOf(record: LogRecord): string {
  if (record.timestamp !== lastMs) {
    lastMs = record.timestamp;
    lastTime = new Date(lastMs).toISOString();
  }
  return lastTime;
}

function renderText(record: LogRecord): string {
  let line = `${timeOf(record)} ${record.level} ${oneLine(String(record.rawMessage))}`;
  for (const [name, value] of Object.entries(record.properties)) {
    if (value === undefined) continue;
    const text = String(value);
    line += ` ${name}=${/^[\w.:/@,+-]+$/.test(text) ? text : JSON.stringify(text)}`;
  }
  return line;
}

function renderJson(record: LogRecord): string {
  return JSON.stringify({
    time: timeOf(record),
    level: record.level,
    event: String(record.rawMessage),
    ...record.properties,
  });
}

/** A caller chooses parts of some events; a line break in them would forge a line of the log. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}
