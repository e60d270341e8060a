/** The address that a request came from, as its socket has it. An argument, because a test has no socket. */
export type AddressOf = (request: Request, server: PeerSource | null) => string;

interface PeerSource {
  requestIP(request: Request): { readonly address: string } | null;
}

export const peerAddress: AddressOf = (request, server) => server?.requestIP(request)?.address ?? "";
