import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { checkAuthorities, readAuthorities } from "../../../src/aws/ca-bundle.ts";
import { type Authority, createAuthority, HAS_OPENSSL } from "../../support/authority.ts";

describe.skipIf(!HAS_OPENSSL)("authorities", () => {
  let folder: string;
  let one: Authority;
  let other: Authority;
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "authorities-"));
    one = createAuthority();
    other = createAuthority();
  });
  afterAll(() => {
    for (const made of [one, other]) made.remove();
    rmSync(folder, { recursive: true });
  });

  test("without a file nothing is added to Bun's own", () => {
    expect(readAuthorities({}, [])).toBeUndefined();
    expect(readAuthorities({}, [file("own.pem", rootCertificates.join("\n"))])).toBeUndefined();
  });
  test("both variables add to Bun's own, and so does each system file that there is, once", () => {
    const system = file("system.pem", `${rootCertificates[0]}\n${readFileSync(other.ca, "utf8")}`);
    const env = { AWS_CA_BUNDLE: one.ca, SSL_CERT_FILE: other.ca };
    expect(readAuthorities(env, ["/nonexistent", system])).toHaveLength(rootCertificates.length + 2);
    expect(readAuthorities({}, ["/nonexistent", system])).toHaveLength(rootCertificates.length + 1);
    expect(readAuthorities({}, [system, one.ca, one.ca])).toHaveLength(rootCertificates.length + 2);
  });
  test("a bad certificate in the system's file is left out", () => {
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const system = file("broken.pem", broken + readFileSync(one.ca, "utf8"));
    expect(readAuthorities({}, [system])).toHaveLength(rootCertificates.length + 1);
    expect(() => checkAuthorities({ AWS_CA_BUNDLE: system })).toThrow(/holds a certificate that cannot be read/);
  });
  for (const variable of ["AWS_CA_BUNDLE", "SSL_CERT_FILE"]) {
    test(`${variable} that cannot be used is a bad start that names it`, () => {
      expect(() => checkAuthorities({ [variable]: one.ca })).not.toThrow();
      expect(() => checkAuthorities({ [variable]: "/nonexistent" })).toThrow(
        `${variable} is '/nonexistent', which cannot be read`,
      );
      const empty = file("empty.pem", "hello");
      expect(() => checkAuthorities({ [variable]: empty })).toThrow(/has no certificate/);
    });
  }
});
