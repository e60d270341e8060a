import type { AppError } from "../errors.ts";

/** Temporary credentials as we hold them; `credentials/response.ts` alone knows how they look on the wire. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since 1970; never handed out from then on. */
  readonly expiration: number;
  /**
   * What STS was asked for, or what is left of a set that was there before: they live no longer, whatever `expiration`
   * seems to say where the clock is wrong.
   */
  readonly lifeMsMax?: number;
  /** `""` for the identity's own session. */
  readonly roleArn: string;
}

/**
 * A role to assume. `id` is what tells two of them apart: the ARN, or `[path/]name`, which cannot be confused
 * because no name holds a colon.
 */
export type Role =
  | { readonly kind: "arn"; readonly id: string; readonly arn: string; readonly name: string }
  | { readonly kind: "name"; readonly id: string; readonly name: string; readonly path: string | undefined };

/** Who the server itself is, for the log. */
export interface IdentityFacts {
  /** Where the identity comes from, for a sentence: `profile 'dev'`. */
  readonly origin: string;
  readonly arn?: string;
  /** Milliseconds since 1970, where an end is known. */
  readonly expiration?: number | undefined;
  /** Why the ARN is not known, or why AWS does not accept the identity. */
  readonly failure?: AppError;
}

/** Where credentials come from. Every function may be called at any rate: the vendor is what spares AWS. */
export interface CredentialSource {
  /** Changes when the identity may have changed. Synchronous and cheap: it is asked on every request. */
  readonly fingerprint: () => string;
  /** The identity's own session. Throws AppError. */
  readonly session: () => Promise<Credentials>;
  /** A session of `role` under `sessionName`. Throws AppError. */
  readonly assume: (role: Role, sessionName: string) => Promise<Credentials>;
  /** Loads what the first call would have to load. Never throws. */
  readonly warm: () => Promise<void>;
}

/** A source that can say who it is. */
export interface NamedSource extends CredentialSource {
  /** The identity, with its ARN where STS tells. Throws AppError where there is none. */
  readonly whoami: () => Promise<IdentityFacts>;
}
