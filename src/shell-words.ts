/**
 * A command as a shell takes it, each word quoted where it has to be: what is printed to be copied may carry names that
 * others chose.
 */
export function shellWords(words: readonly string[]): string {
  return words
    .map((word) => (/^([\w@%+=:,./-]+|!)$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
