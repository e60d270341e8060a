/**
 * One rule of the guard. Throws AppError for a request that is refused, or rejects with it where that takes a wait.
 *
 * @param path that of the request's URL, as it was sent
 * @param address where its socket comes from, as the kernel writes it
 */
export type Rule = (request: Request, path: string, address: string) => void | Promise<void>;
