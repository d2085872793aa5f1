/**
 * Object keys that stand twice in a JSON text. `JSON.parse` keeps the last and drops the others without a word; in a file
 * written by hand that loses what its author meant.
 */

interface Level {
  /** Keys seen; undefined in a list. */
  keys: Set<string> | undefined;
  /** The current key, or index in a list. */
  step: string | number;
}

/** The steps to the first key that occurs twice in its object, or undefined. The text must be valid JSON. */
export function duplicateKey(text: string): (string | number)[] | undefined {
  const levels: Level[] = [];
  /** Whether a string that comes next is a key. */
  let keyNext = false;
  for (let i = 0; i < text.length; i++) {
    const level = levels[levels.length - 1];
    switch (text[i]) {
      case '{':
        levels.push({ keys: new Set(), step: '' });
        keyNext = true;
        break;
      case '[':
        levels.push({ keys: undefined, step: 0 });
        keyNext = false;
        break;
      case '}':
      case ']':
        levels.pop();
        keyNext = false;
        break;
      case ',':
        if (level !== undefined && typeof level.step === 'number') level.step++;
        keyNext = level?.keys !== undefined;
        break;
      case '"': {
        const start = i++;
        while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
        if (!keyNext || level?.keys === undefined) break;
        const key = JSON.parse(text.slice(start, i + 1)) as string;
        level.step = key;
        if (level.keys.has(key)) return levels.map((l) => l.step);
        level.keys.add(key);
        keyNext = false;
        break;
      }
    }
  }
  return undefined;
}
