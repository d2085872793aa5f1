/** Columns of a text. */
export function stringWidth(text: string): number;
export function stripAnsi(text: string): string;
/** Breaks the lines of a text at spaces; a word longer than a line is cut. */
export function wrapAnsi(text: string, columns: number): string;
