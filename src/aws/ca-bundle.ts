import { readFileSync } from "node:fs";
import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";

const NAMING_VARIABLES = ["AWS_CA_BUNDLE", "SSL_CERT_FILE"];

/**
 * Where the reference's TLS, which is Go's, looks. Go takes the first that there is; the reference's image has none, so that
 * its users mount theirs at any of these, and ours has the first.
 */
const SYSTEM_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/**
 * Looks whether the files that AWS_CA_BUNDLE and SSL_CERT_FILE name can be used.
 *
 * @throws AppError `bad-configuration` with the variable and the path
 */
export function checkAuthorities(env: Environment): void {
  namedAuthorities(env);
}

/**
 * The authorities to trust beside Bun's own: those of AWS_CA_BUNDLE and SSL_CERT_FILE, and the system's.
 *
 * @returns all of them with Bun's own, because Bun drops these once any is given; undefined if there is nothing to add
 * @throws AppError `bad-configuration` as `checkAuthorities`
 */
export function readAuthorities(
  env: Environment,
  systemFiles: readonly string[] = SYSTEM_FILES,
): readonly string[] | undefined {
  const { rootCertificates } = import.meta.require("node:tls") as typeof import("node:tls");
  const own = new Set(rootCertificates.map(plain));
  const added = new Map<string, string>();
  const add = (certificates: readonly string[], isUsable: (pem: string) => boolean): void => {
    for (const certificate of certificates) {
      const key = plain(certificate);
      if (!own.has(key) && !added.has(key) && isUsable(certificate)) added.set(key, certificate);
    }
  };
  add(namedAuthorities(env), () => true);
  // One bad entry would make Bun refuse every connection, and the user did not choose this file.
  add(systemAuthorities(systemFiles), isCertificate);
  return added.size === 0 ? undefined : [...rootCertificates, ...added.values()];
}

function namedAuthorities(env: Environment): string[] {
  return NAMING_VARIABLES.flatMap((name) => {
    const path = env[name];
    if (!path) return [];
    let found: string[];
    try {
      found = certificatesIn(readFileSync(path, "utf8"));
    } catch (cause) {
      throw unusable(name, path, "cannot be read", cause);
    }
    if (found.length === 0) throw unusable(name, path, "has no certificate");
    if (!found.every(isCertificate)) throw unusable(name, path, "holds a certificate that cannot be read");
    return found;
  });
}

function systemAuthorities(files: readonly string[]): string[] {
  return files.flatMap((path) => {
    try {
      return certificatesIn(readFileSync(path, "utf8"));
    } catch {
      return [];
    }
  });
}

function certificatesIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}

// These modules take milliseconds of the start, which needs them only where a file is named.
function isCertificate(pem: string): boolean {
  const { X509Certificate } = import.meta.require("node:crypto") as typeof import("node:crypto");
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

function plain(pem: string): string {
  return pem.replace(/\s/g, "");
}

function unusable(name: string, path: string, reason: string, cause?: unknown): AppError {
  return new AppError("bad-configuration", `${name} is '${path}', which ${reason}`, {
    hint: "give a PEM file that this user can read, with the authority's certificate, or unset the variable",
    cause,
  });
}
