/**
 * An address as an error may quote it, readable or not: whatever stands before its last `@`, where a password may be, is
 * `***`.
 */
export function withoutUserinfo(address: string): string {
  return address.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, "$1***@");
}
