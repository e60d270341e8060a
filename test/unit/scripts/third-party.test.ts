import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { packageManager } from "../../../package.json";
import { thirdPartyText } from "../../../scripts/licenses/third-party.ts";

const root = resolve(import.meta.dir, "../../..");
const of = (name: string, license: string, licenseText: string) => ({ name, version: "1.0.0", license, licenseText });
const apache = (name: string, text = "terms of Apache") => of(name, "Apache-2.0", text);

test("a text that several packages have is there once, below them and one that holds no text of it", async () => {
  const text = await thirdPartyText(root, [apache("a", ""), apache("b"), of("c", "MIT", "terms of c"), apache("d")]);
  expect(text).toContain("\n\na 1.0.0: Apache-2.0\nb 1.0.0: Apache-2.0\nd 1.0.0: Apache-2.0\n\nterms of Apache\n\n-");
  expect(text.split("terms of Apache")).toHaveLength(2);
  expect(text).toContain("\n\nc 1.0.0: MIT\n\nterms of c\n\n-");
});

test("a package whose license names its holder must hold the text", () => {
  const packages = [of("a", "MIT", "terms of a"), of("b", "MIT", "")];
  expect(thirdPartyText(root, packages)).rejects.toThrow("b holds no text of its license, MIT");
  expect(thirdPartyText(root, [apache("c", "")])).rejects.toThrow("c holds no text of its license, Apache-2.0");
});

test("Bun and its engine are named as of the version that is pinned", async () => {
  const text = await thirdPartyText(root, []);
  expect(text).toContain(`\n${packageManager.replace("bun@", "Bun ")}: MIT, and what it links\n`);
  expect(text).toContain(`https://github.com/oven-sh/WebKit, commit ${process.versions.webkit}\n`);
});

test("what is passed on beside the program comes before the packages", async () => {
  const text = await thirdPartyText(root, [apache("a")], "beside\n");
  expect(text.indexOf("\nbeside\n")).toBeLessThan(text.indexOf("\na 1.0.0"));
});
