/** What a command that ends by itself has to say: its result, and beside it lines for the user. */
export interface Said {
  /** Chunks, each with its newline. */
  readonly stdout: readonly string[];
  /** Lines, each begun with `warning:`, `hint:` or neither. */
  readonly stderr: readonly string[];
}
