/**
 * Borders of the fields of nested messages, on one growing stack: a walk that has to see the children of a message in
 * reverse order keeps them here instead of in objects. Everything reports malformed input by returning false.
 */
export class BorderStack {
  private borders = new Int32Array(1024);
  size = 0;
  /** Start of the content found by {@link open}. */
  start = 0;

  clear(): void {
    this.size = 0;
  }

  at(i: number): number {
    return this.borders[i];
  }

  drop(size: number): void {
    this.size = size;
  }

  private push(start: number, end: number): void {
    if (this.size + 2 > this.borders.length) {
      const grown = new Int32Array(this.borders.length * 2);
      grown.set(this.borders);
      this.borders = grown;
    }
    this.borders[this.size++] = start;
    this.borders[this.size++] = end;
  }

  /** Reads a length prefix at `pos`; its content must end exactly at `end`. Then {@link start} is where it begins. */
  open(buf: Buffer, pos: number, end: number): boolean {
    const n = this.length(buf, pos, end);
    return n >= 0 && this.start + n === end;
  }

  private length(buf: Buffer, pos: number, end: number): number {
    let n = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (pos >= end) return -1;
      const b = buf[pos++];
      n |= (b & 0x7f) << shift;
      if (b < 0x80) {
        this.start = pos;
        return n <= end - pos ? n : -1;
      }
    }
    return -1;
  }

  /** Pushes the borders of every field in `[start, end)`; all must have this one-byte tag. */
  collect(buf: Buffer, start: number, end: number, tag: number): boolean {
    let pos = start;
    while (pos < end) {
      if (buf[pos] !== tag) return false;
      const n = this.length(buf, pos + 1, end);
      if (n < 0) return false;
      pos = this.start + n;
      this.push(this.start, pos);
    }
    return true;
  }

  /**
   * Pushes the borders of exactly two fields, in this order. With `optionalFirst` the first may be absent (then its
   * borders are empty).
   */
  pair(
    buf: Buffer,
    start: number,
    end: number,
    first: number,
    second: number,
    optionalFirst = false,
  ): boolean {
    let pos = start;
    if (pos < end && buf[pos] === first) {
      const n = this.length(buf, pos + 1, end);
      if (n < 0) return false;
      pos = this.start + n;
      this.push(this.start, pos);
    } else if (optionalFirst) this.push(pos, pos);
    else return false;
    if (pos >= end || buf[pos] !== second) return false;
    const n = this.length(buf, pos + 1, end);
    if (n < 0 || this.start + n !== end) return false;
    this.push(this.start, end);
    return true;
  }
}
