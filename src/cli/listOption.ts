/** Lists given on the command line: items, or files that hold one item per line. */
import { readFile } from 'node:fs/promises';
import { AcsError } from '../io/error.js';

/** The items of a text: one per line, blank lines and lines that start with `#` aside. */
export function parseList(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Items and `@file` arguments, which stand for the lines of that file. */
export async function listOption(values: readonly string[]): Promise<string[]> {
  const items: string[] = [];
  for (const value of values) {
    if (value.startsWith('@')) items.push(...parseList(await readTextFile(value.slice(1))));
    else items.push(...value.split(',').filter((item) => item !== ''));
  }
  return items;
}

/** Error: `FILE_UNREADABLE`, a usage mistake. */
export async function readTextFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new AcsError('FILE_UNREADABLE', `the file cannot be read: ${(cause as Error).message}`, {
      file,
      exitCode: 2,
      cause,
    });
  }
}
