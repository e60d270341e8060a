const WORD = "[a-zA-Z\\d]+(?:(?:\\.|-+)[a-zA-Z\\d]+)*";
const HOST = `(?:${WORD}|\\[[a-fA-F\\d:]+\\])(?::\\d+)?`;
const PART = "[a-z\\d]+(?:(?:[._]|__|-+)[a-z\\d]+)*";
const DIGEST = "[a-zA-Z][a-zA-Z\\d]*(?:[-_+.][a-zA-Z][a-zA-Z\\d]*)*:[a-fA-F\\d]{32,}";
const NAME = new RegExp(`^(?:${HOST}/)?${PART}(?:/${PART})*(?::\\w[\\w.-]{0,127})?(?:@${DIGEST})?$`);

/** Whether it is an image's name by Docker's grammar, with or without tag and digest, or an id. */
export function isImageName(text: string): boolean {
  return NAME.test(text);
}
