import { constants, deflateRawSync, gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GzipWriterOptions, gzipWriter } from '../../src/wire/deflate.js';
import { emptyGzipFacts, type InflateOptions, inflateGzip } from '../../src/wire/inflate.js';

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

async function inflate(bytes: Buffer, size = 1 << 16, options: InflateOptions = {}) {
  const facts = emptyGzipFacts();
  const parts: Buffer[] = [];
  for await (const chunk of inflateGzip(chunks(bytes, size), facts, options)) parts.push(Buffer.from(chunk));
  return { bytes: Buffer.concat(parts), facts };
}

async function deflate(records: Uint8Array[], options: GzipWriterOptions = {}) {
  const parts: Buffer[] = [];
  const writer = gzipWriter(async (bytes) => {
    await new Promise((done) => setImmediate(done));
    parts.push(Buffer.from(bytes));
  }, options);
  for (const record of records) {
    writer.write(record);
    writer.border();
    await writer.ready();
  }
  const written = await writer.finish();
  return { bytes: Buffer.concat(parts), written };
}

/** A gzip header with every optional field, in front of the body of an ordinary member. */
function withHeaderFields(member: Buffer): Buffer {
  const header = Buffer.from('1f8b081e0102030400ff', 'hex');
  const extra = Buffer.concat([Buffer.from([3, 0]), Buffer.from('abc')]);
  return Buffer.concat([
    header,
    extra,
    Buffer.from('name\0comment\0'),
    Buffer.from([9, 9]),
    member.subarray(10),
  ]);
}

describe('the gzip writer', () => {
  it('writes one member that others read, the same bytes whatever the parallelism', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        async (records, level) => {
          const one = await deflate(records, { pieceBytes: 2048, concurrency: 1, level });
          const many = await deflate(records, { pieceBytes: 2048, concurrency: 5, level });
          expect(many.bytes.equals(one.bytes)).toBe(true);
          const content = Buffer.concat(records);
          expect(gunzipSync(one.bytes).equals(content)).toBe(true);
          const { bytes, facts } = await inflate(one.bytes, 701);
          expect(bytes.equals(content)).toBe(true);
          expect(facts.members).toHaveLength(1);
          expect(one.written).toMatchObject({
            compressedBytes: one.bytes.length,
            inflatedBytes: content.length,
            crc32: facts.members[0].crc32,
          });
          expect(one.written.pieces.reduce((n, p) => n + p.inflatedBytes, 0)).toBe(content.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('takes whole pieces as it takes their records, and gives each back once it is read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { maxLength: 60 }),
        fc.nat(3),
        async (records, before) => {
          const options = { pieceBytes: 1000, level: 1 };
          const expected = await deflate(records, options);
          const parts: Buffer[] = [];
          const writer = gzipWriter(async (bytes) => {
            parts.push(Buffer.from(bytes));
          }, options);
          // Some one by one, which may leave a piece begun; the others as blocks that end where a piece does.
          let filled = 0;
          let block: Uint8Array[] = [];
          let lent = 0;
          const lend = (): void => {
            const bytes = Buffer.concat(block);
            block = [];
            lent++;
            writer.writePiece(bytes, () => {
              lent--;
              bytes.fill(0);
            });
          };
          for (const [i, record] of records.entries()) {
            filled += record.length;
            if (i < before) {
              writer.write(record);
              writer.border();
            } else block.push(record);
            if (filled < options.pieceBytes) continue;
            filled = 0;
            if (block.length > 0) lend();
            await writer.ready();
          }
          if (block.length > 0) lend();
          const written = await writer.finish();
          expect(lent).toBe(0);
          expect(Buffer.concat(parts).equals(expected.bytes)).toBe(true);
          expect(written).toEqual(expected.written);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('passes on a failure of the output', async () => {
    const writer = gzipWriter(async () => {
      throw new Error('disk');
    });
    writer.write(Buffer.alloc(3 << 20));
    writer.border();
    await expect(writer.finish()).rejects.toThrow('disk');
  });
});

describe('inflating', () => {
  const content = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) & 0xff));
  const member = gzipSync(content);

  it.each([1, 2, 3, 7, 10, 18, 1000])('gives the same for chunks of %i bytes', async (size) => {
    const { bytes, facts } = await inflate(Buffer.concat([member, member, Buffer.alloc(3)]), size, {
      members: 'all',
    });
    expect(bytes.equals(Buffer.concat([content, content]))).toBe(true);
    expect(facts.members.map((m) => [m.start, m.end, m.inflatedStart])).toEqual([
      [0, member.length, 0],
      [member.length, 2 * member.length, content.length],
    ]);
    expect(facts).toMatchObject({
      trailingBytes: 3,
      trailingZeros: true,
      compressedBytes: 2 * member.length,
    });
  });

  it('gives all that comes before the place where a file is cut, however slowly it is taken', async () => {
    const long = Buffer.concat(Array.from({ length: 700 }, (_, i) => content.map((b) => b ^ i)));
    const cut = gzipSync(long).subarray(0, -1000);
    const whole = inflateRawSync(cut.subarray(10), { finishFlush: constants.Z_SYNC_FLUSH });
    expect(whole.length).toBeGreaterThan(3_000_000);
    const parts: Buffer[] = [];
    const reading = (async () => {
      for await (const part of inflateGzip(chunks(cut, 1 << 16))) {
        parts.push(Buffer.from(part));
        await new Promise((done) => setTimeout(done, 5));
      }
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'GZIP_TRUNCATED',
      found: `end of file after ${whole.length} inflated bytes`,
    });
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
  });

  it('stops at or refuses a second member', async () => {
    const two = Buffer.concat([member, member]);
    expect((await inflate(two, 100, { members: 'first' })).bytes.equals(content)).toBe(true);
    await expect(inflate(two)).rejects.toMatchObject({
      code: 'GZIP_SECOND_MEMBER',
      place: { byteOffset: member.length },
    });
  });

  it('reads every optional header field', async () => {
    const { bytes, facts } = await inflate(withHeaderFields(member), 5);
    expect(bytes.equals(content)).toBe(true);
    expect(facts.members[0].header).toMatchObject({
      name: 'name',
      comment: 'comment',
      mtime: 0x04030201,
      os: 0xff,
    });
    expect(facts.members[0].header.extra?.toString()).toBe('abc');
  });

  it('refuses a bomb long before it is inflated', async () => {
    const zeros = gzipSync(Buffer.alloc(64 << 20));
    await expect(inflate(zeros, 1 << 16, { maxInflatedBytes: 1 << 20 })).rejects.toMatchObject({
      code: 'GZIP_TOO_LARGE',
    });
  });

  it('says between which bytes damage was noticed, whatever the portions', async () => {
    // Noise of 3 MB, then a block of a type that there is none of: noticed at its first byte.
    const noise = Buffer.alloc(3_000_000);
    for (let i = 0, x = 1; i < noise.length; i++) {
      x = (x * 1103515245 + 12345) & 0x7fffffff;
      noise[i] = x >>> 16;
    }
    const sound = deflateRawSync(noise, { finishFlush: constants.Z_FULL_FLUSH });
    const file = Buffer.concat([
      Buffer.from('1f8b08000000000000ff', 'hex'),
      sound,
      Buffer.alloc(500_000, 0xff),
    ]);
    const at = 10 + sound.length;
    for (const size of [1000, 65_536, 1_000_003, 1 << 21, file.length]) {
      const error = await inflate(file, size).catch((e) => e);
      expect(error).toMatchObject({ code: 'GZIP_DAMAGED' });
      const limit = Number(/^damage noticed from here to byte (\d+); /.exec(error.found)?.[1]);
      expect(error.place.byteOffset).toBeLessThanOrEqual(at);
      expect(limit).toBeGreaterThan(at);
      expect(limit - error.place.byteOffset).toBeLessThanOrEqual(size);
    }
  });

  it('leaves no source open when it is abandoned', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield gzipSync(Buffer.alloc(10_000));
      } finally {
        closed = true;
      }
    }
    for await (const _ of inflateGzip(source(), emptyGzipFacts(), { members: 'all' })) break;
    expect(closed).toBe(true);
  });
});
