/** What is released. */
export interface Commit {
  readonly version: string;
  /** Seconds since 1970. */
  readonly made: number;
}

/**
 * Names the version, and the time that all files of a release have.
 *
 * @param version of package.json
 * @throws Error where a release is to be made of what is not tagged as it, or of files that were changed
 */
export function commitOf(root: string, version: string, isSnapshot: boolean): Commit {
  const git = (...args: string[]) => {
    const { success, stdout, stderr } = Bun.spawnSync(["git", ...args], { cwd: root });
    if (!success) throw new Error(`git ${args[0]} failed: ${stderr.toString().trim()}`);
    return stdout.toString().trim();
  };
  const made = Number(process.env.SOURCE_DATE_EPOCH || git("log", "-1", "--format=%ct"));
  if (!Number.isSafeInteger(made) || made < 0)
    throw new Error(`SOURCE_DATE_EPOCH is '${process.env.SOURCE_DATE_EPOCH}', not seconds`);
  if (isSnapshot) {
    return {
      version: `${version}-snapshot.${git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")}`,
      made,
    };
  }
  const tags = git("tag", "--points-at", "HEAD").split("\n");
  if (!tags.includes(`v${version}`)) {
    throw new Error(`package.json is of ${version}, and the commit is not tagged v${version}\nhint: see --snapshot`);
  }
  // Whatever the user's git is told to leave out of it.
  const changed = git("status", "--porcelain", "--untracked-files=normal");
  if (changed !== "") throw new Error(`these files are not as the commit has them:\n${changed}\nhint: see --snapshot`);
  return { version, made };
}
