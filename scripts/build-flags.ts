/** How the program is compiled, and what the bench compares it with: what is compared must be built alike. */
export const BUILD_FLAGS = [
  "--compile",
  // Together these make the first answer come soonest; splitting keeps the AWS SDK unread until it is needed.
  "--production",
  "--splitting",
  "--bytecode",
  "--format=esm",
  // The program hands out credentials: no file of the current folder may change its environment or its code.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
] as const;
