/** What the command line asks of `doctor`. */
export interface DoctorRequest {
  readonly json?: boolean;
  readonly offline?: boolean;
  readonly port?: string;
  readonly bind?: string;
  /** Whether containers may be started to ask from inside. */
  readonly startContainers?: boolean;
  /** The image of those; our own unless given. */
  readonly image?: string;
  /** Whether this is what asks from inside. */
  readonly fromInside?: boolean;
}
