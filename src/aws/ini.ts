import { AppError } from "../errors.ts";

/** Keys in lower case; a nested key is `parent.key`. */
export type Section = Readonly<Record<string, string | undefined>>;

/** By name: `dev`, `sso-session.corp` or `services.local`. */
export type Sections = ReadonlyMap<string, Section>;

const HEADER = /^\[(.+?)\]\s*(?:[#;].*)?$/;
const KEY = /^([^=:]+?)\s*[=:]\s*(.*)$/;
const KIND = /^(profile|sso-session|services)\s+(.+)$/;
/** A comment after a value needs a space before it. */
const COMMENT = /(?:^|\s)[#;].*$/;
/** The SDK's own parser reads no other names. */
const PLAIN_NAME = /^[\w@+.%:/-]+$/;

/**
 * Reads `~/.aws/config` or `~/.aws/credentials`. Follows botocore, and the Go SDK where botocore ignores or keeps more:
 * `[profile my dev]` is a profile, a comment after a value is not part of it, and a section that comes twice is merged.
 *
 * @param path for the error
 * @param kind in the config file, profiles other than `default` are `[profile name]`
 * @throws AppError `identity-failed` with the path and the line, but nothing of the text
 */
export function parseIni(bytes: Uint8Array, path: string, kind: "config" | "credentials"): Sections {
  const sections = new Map<string, Record<string, string>>();
  let section: Record<string, string> | undefined;
  let key = "";
  let keyIndent = 0;
  let hasProfileDefault = false;
  for (const [index, line] of decode(bytes, path)
    .split(/\r\n|\r|\n/)
    .entries()) {
    const bad = (what: string) => unreadable(path, index + 1, what);
    const text = line.trim();
    if (text === "" || /^[#;]/.test(text)) continue;
    const indent = line.search(/\S/);
    if (section !== undefined && key !== "" && indent > keyIndent) {
      if (HEADER.test(text)) throw bad("is an indented section, which AWS's tools take for a part of the line before");
      addToValue(section, key, text);
      continue;
    }
    key = "";
    keyIndent = indent;
    if (text.startsWith("[")) {
      const header = HEADER.exec(text)?.[1]?.trim();
      if (!header) throw bad("is not a section, which is [name]");
      const name = sectionName(header, kind);
      // [profile default] replaces [default], wherever that stands.
      const isProfileDefault = name === "default" && header !== name;
      const isReplaced = name === "default" && header === name && hasProfileDefault;
      const known = name === undefined || isReplaced || (isProfileDefault && !hasProfileDefault) ? undefined : name;
      section = (known && sections.get(known)) || (Object.create(null) as Record<string, string>);
      if (name !== undefined && !isReplaced) sections.set(name, section);
      hasProfileDefault ||= isProfileDefault;
      continue;
    }
    const [, name, value = ""] = KEY.exec(text) ?? [];
    if (name === undefined) throw bad("is neither a section nor key = value");
    if (section === undefined) throw bad("is a key before the first section");
    key = name.toLowerCase();
    section[key] = value.replace(COMMENT, "").trim();
  }
  return sections;
}

/** An indented line is a nested key if its parent has no value, else the next line of the value. */
function addToValue(section: Record<string, string>, key: string, text: string): void {
  const [, name, value = ""] = KEY.exec(text) ?? [];
  const isNested = section[key] === "" && name !== undefined;
  if (isNested) section[`${key}.${name.toLowerCase()}`] = value.replace(COMMENT, "").trim();
  else section[key] = `${section[key]}\n${text}`;
}

/** Undefined for a section that is not a profile, an SSO session or services. */
function sectionName(header: string, kind: "config" | "credentials"): string | undefined {
  if (kind === "credentials") return header;
  const [, type, rest = ""] = KIND.exec(header) ?? [];
  if (type === undefined) return header === "default" ? header : undefined;
  const name = rest.trim().replace(/^(["'])(.+)\1$/, "$2");
  return type === "profile" ? name : `${type}.${name}`;
}

/** UTF-8, or UTF-16 with its byte order mark, as PowerShell writes it. */
function decode(bytes: Uint8Array, path: string): string {
  const isLittle = bytes[0] === 0xff && bytes[1] === 0xfe;
  const isBig = bytes[0] === 0xfe && bytes[1] === 0xff;
  const encoding = isLittle ? "utf-16le" : isBig ? "utf-16be" : "utf-8";
  try {
    return new TextDecoder(encoding as Bun.Encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("identity-failed", `the AWS file ${path} is neither UTF-8 nor UTF-16`, {
      hint: "save it as UTF-8",
      cause,
    });
  }
}

function unreadable(path: string, line: number, what: string): AppError {
  return new AppError("identity-failed", `the AWS file ${path} cannot be read: line ${line} ${what}`, {
    hint: "correct or remove that line",
  });
}

/** The name of a profile or SSO session as the SDK can read it. */
export function sdkName(name: string): string {
  return PLAIN_NAME.test(name) && name !== "__proto__" ? name : `ecs-local.${Buffer.from(name).toString("hex")}`;
}

/** The sections as a config file for the SDK. */
export function toConfigText(sections: Sections): string {
  const lines: string[] = [];
  for (const [name, section] of sections) {
    const [, type = "profile", rest = name] = /^(sso-session|services)\.(.+)$/s.exec(name) ?? [];
    lines.push(name === "default" ? "[default]" : `[${type} ${sdkName(rest)}]`);
    for (const [key, value = ""] of Object.entries(section)) {
      const isName = key === "sso_session" || key === "source_profile" || key === "services";
      const [parent, nested] = key.split(/\.(.*)/s, 2);
      const text = (isName ? sdkName(value) : value).replaceAll("\n", " ");
      if (nested) lines.push(`${parent} =`, `  ${nested} = ${text}`);
      else if (text !== "") lines.push(`${key} = ${text}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
