/**
 * Text for people without what a terminal obeys instead of showing: a file decides what its names and texts hold, and an
 * escape sequence in one of them could clear the screen, hide a line or turn the reading direction around.
 */

/** Control characters, direction marks and what else moves the text around it, but the line feed. */
const OBEYED =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The text with such characters as `\u001b`; line feeds stay. */
export function visibleText(text: string): string {
  return text.replace(OBEYED, escaped);
}

/** The same as a single line: line feeds are written out too. */
export function visibleLine(text: string): string {
  return visibleText(text).replaceAll('\n', '\\u000a');
}
