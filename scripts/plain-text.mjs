/**
 * Width and wrapping of the help's text, in the place of the packages yargs brings for it: those know colours, emoji and
 * wide scripts, and take 60 ms to load for that. Our help has none of them; a test holds it against the packages' layout.
 */

/** Columns of a text. */
export function stringWidth(text) {
  return [...text].length;
}

/** The text without colours: it has none. */
export function stripAnsi(text) {
  return text;
}

/** Breaks the lines of a text at spaces; a word longer than a line is cut. */
export function wrapAnsi(text, columns) {
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns))
    .join('\n');
}

function wrapLine(line, columns) {
  const rows = [''];
  const used = () => stringWidth(rows[rows.length - 1]);
  const append = (text) => {
    rows[rows.length - 1] += text;
  };
  line.split(' ').forEach((word, i) => {
    rows[rows.length - 1] = rows[rows.length - 1].trimStart();
    if (i > 0 && used() > 0) append(' ');
    let rest = [...word];
    if (rest.length <= columns) {
      if (used() > 0 && rest.length > 0 && used() + rest.length > columns) rows.push('');
      append(word);
      return;
    }
    // A word that has to be cut starts on the next line when that takes fewer lines.
    const here = 1 + Math.floor((rest.length - (columns - used()) - 1) / columns);
    if (Math.floor((rest.length - 1) / columns) < here) rows.push('');
    while (rest.length > 0) {
      const room = columns - used();
      append(rest.slice(0, Math.max(0, room)).join(''));
      rest = rest.slice(Math.max(0, room));
      if (rest.length > 0) rows.push('');
    }
  });
  return rows.map((row) => row.trimEnd()).join('\n');
}
