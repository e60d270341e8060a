import { join } from "node:path";
import type { Bundled } from "./bundled.ts";

const LINE = `${"-".repeat(80)}\n`;

/**
 * The licences of what is not ours, as those who pass the program on must keep them: each text once, below the packages
 * that have it, then Bun and what it links.
 *
 * @param root folder of the project
 * @param packages that are in the program
 * @param beside a paragraph on what is passed on beside the program
 * @throws Error where a package's text cannot be had
 */
export async function thirdPartyText(root: string, packages: readonly Bundled[], beside?: string): Promise<string> {
  const licenses = join(root, "packaging/licenses");
  const texts = await Promise.all(["bun.txt", "LGPL-2.1.txt"].map((name) => Bun.file(join(licenses, name)).text()));
  return [
    "ecs-local-endpoints itself is under the Apache License 2.0, which is in LICENSE. The program contains the packages below, and\n" +
      "Bun, which runs it.\n",
    ...(beside === undefined ? [] : [beside]),
    ...groupsOf(packages),
    ...texts,
  ].join(`\n${LINE}\n`);
}

function groupsOf(packages: readonly Bundled[]): string[] {
  // This license's text names no holder, so that another's stands for a package that holds none.
  const usual = packages.find(({ license, licenseText }) => license === "Apache-2.0" && licenseText !== "");
  const groups = Map.groupBy(packages, ({ name, license, licenseText }) => {
    const text = licenseText || (license === usual?.license ? usual.licenseText : "");
    if (text === "") throw new Error(`${name} holds no text of its license, ${license}`);
    return text;
  });
  return [...groups].map(([text, members]) => {
    const names = members.map(({ name, version, license }) => `${name} ${version}: ${license}\n`);
    return `${names.join("")}\n${text}\n`;
  });
}
