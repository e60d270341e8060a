/**
 * The paths of the fields of `Ours` that are not of `Theirs`: it lacks them, may leave them out where we need them, or
 * gives them a type that we do not take. Where theirs is `any` nothing is proved, so that counts as well.
 */
export type Strays<Ours, Theirs, Path extends string = ""> = 0 extends 1 & Theirs
  ? Path
  : [Ours] extends [readonly (infer Item)[]]
    ? [Theirs] extends [readonly (infer TheirItem)[]]
      ? Strays<Item, TheirItem, `${Path}[]`>
      : Path
    : [Ours] extends [object]
      ? string extends keyof Ours
        ? Strays<NonNullable<Ours[string]>, NonNullable<ValueOf<Theirs>>, `${Path}{}`>
        : { [Key in keyof Ours & string]: StrayField<Ours, Theirs, Key, `${Path}.${Key}`> }[keyof Ours & string]
      : [Theirs] extends [Ours]
        ? never
        : Path;

type StrayField<Ours, Theirs, Key extends keyof Ours, Path extends string> = Key extends keyof Theirs
  ? [undefined extends Theirs[Key] ? true : false, undefined extends Ours[Key] ? true : false] extends [true, false]
    ? Path
    : Strays<NonNullable<Ours[Key]>, NonNullable<Theirs[Key]>, Path>
  : Path;

/** `unknown` for what is not a map: that is of no type that we take. */
type ValueOf<Theirs> = Theirs extends { readonly [key: string]: infer Value } ? Value : unknown;
