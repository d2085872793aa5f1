#!/usr/bin/env node
/**
 * Data for the store's bench, from a seed: contracts of 700-byte blobs in 5 000 stakeholder sets of three parties and 20
 * templates, as a snapshot file and as a stream of updates that creates them and archives 30 %.
 *
 *   node bench/tasks/storeData.mjs FOLDER [count] [seed]
 */
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { BlobView } from '../../dist/contract/blob.js';
import { eventBuilder } from '../../dist/contract/eventFromBlob.js';
import { templateField } from '../../dist/contract/eventPieces.js';
import { createSnapshotFile } from '../../dist/contract/snapshotFile.js';
import { writeTimestamp } from '../../dist/snapshot/encodeRecord.js';
import { lengthDelimited } from '../../dist/wire/lengthDelimited.js';
import { WireWriter } from '../../dist/wire/writer.js';

const SETS = 5000;
const PARTIES = 11;
const TEMPLATES = 20;
const ARCHIVED_PERCENT = 30;
const FIRST_MICROS = 1767229200000000n;

export const SYNCHRONIZER = `bench-sync::1220${'ab'.repeat(32)}`;

/** sfc32 */
function random(seed, stream, index) {
  let [a, b, c, d] = [seed | 0, stream | 0, index | 0, 1];
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

export const issuer = (i) => `issuer-${i}::1220${'cd'.repeat(32)}`;
export const owner = (i) => `owner-${i}::1220${'cd'.repeat(32)}`;

/** Set k: an issuer, an owner with about seven sets (1 400 of a million contracts), an observer. */
function partiesOf(k) {
  return {
    signatories: [issuer(k % PARTIES)],
    observers: [owner(Math.floor(k / 7)), `auditor-${k % 3}::1220${'ef'.repeat(32)}`].sort(),
  };
}

function* contracts(count, seed) {
  const blob = new BlobView();
  const w = new WireWriter(2048);
  const id = Buffer.alloc(69);
  const sets = Array.from({ length: SETS }, (_, k) => {
    const { signatories, observers } = partiesOf(k);
    const all = [...signatories, ...observers].sort();
    return {
      signatories,
      observers,
      layout: Buffer.concat([
        ...all.map((p) => lengthDelimited(9, p)),
        ...signatories.map((p) => lengthDelimited(10, p)),
        ...observers.map((p) => lengthDelimited(11, p)),
      ]),
    };
  });
  const templates = Array.from({ length: TEMPLATES }, (_, t) => {
    const packageId = (t % 4).toString(16).padStart(64, '0');
    const template = { packageId, moduleName: 'Bench.Model', entityName: `Asset${t}` };
    return { ...template, field: templateField(template), rep: lengthDelimited(15, packageId) };
  });
  for (let i = 0; i < count; i++) {
    const next = random(seed, 1, i);
    for (let at = 1; at < 69; at += 4) id.writeUInt32LE(next(), at);
    id[0] = 0;
    id.write('ca121220', 33, 'hex');
    const set = sets[next() % SETS];
    const template = templates[next() % TEMPLATES];
    const salt = Buffer.alloc(32);
    for (let at = 0; at < 32; at += 4) salt.writeUInt32LE(next(), at);
    const micros = FIRST_MICROS + BigInt(i) * 1000n;
    w.clear();
    w.stringField(1, '2.1');
    w.messageField(2, () => {
      w.bytesField(1, id);
      w.stringField(2, 'bench-model');
      w.messageField(3, () => {
        w.stringField(1, template.packageId);
        w.stringField(2, 'Bench');
        w.stringField(2, 'Model');
        w.stringField(3, template.entityName);
      });
      w.messageField(4, () =>
        w.messageField(13, () => {
          const field = (kind, text) =>
            w.messageField(1, () => w.messageField(1, () => w.stringField(kind, text)));
          field(7, set.signatories[0]);
          field(7, set.observers[0]);
          field(6, `${next() % 1_000_000}.${next() % 10}000000000`);
          field(
            8,
            `${next().toString(16)}${next().toString(16)}${next().toString(16)}${next().toString(16)}`,
          );
          field(8, `memo ${next().toString(36)}`);
        }),
      );
      for (const party of set.signatories) w.stringField(5, party);
      for (const party of set.observers) w.stringField(6, party);
      w.tag(7, 1).sfixed64(micros);
      w.bytesField(
        8,
        Buffer.concat([Buffer.from('0a260a2408011220', 'hex'), salt, Buffer.from('101e', 'hex')]),
      );
    });
    const bytes = w.finish();
    yield {
      i,
      id,
      micros,
      bytes,
      blob: blob.parse(bytes),
      pieces: {
        offset: 0n,
        nodeId: 0,
        template: template.field,
        parties: set.layout,
        representative: template.rep,
        shape: 0,
      },
    };
  }
}

async function snapshot(path, count, seed) {
  const builder = eventBuilder();
  const sync = lengthDelimited(2, SYNCHRONIZER);
  const file = await createSnapshotFile(path, { level: 1 });
  for (const c of contracts(count, seed)) {
    c.pieces.offset = BigInt(10 + 2 * c.i);
    file.writeFrame(builder.frame(c.blob, 0, c.bytes.length, c.pieces, sync, 0));
    if (c.i % 500 === 0) await file.ready();
  }
  await file.finish();
}

/** Creations in transactions of one to four events, then archives in transactions of one to four. */
async function updates(path, count, seed) {
  const builder = eventBuilder();
  const gzip = createGzip({ level: 1, chunkSize: 1 << 20 });
  const file = createWriteStream(`${path}.part`);
  gzip.pipe(file);
  const w = new WireWriter(1 << 16);
  let parts = [];
  let size = 0;
  let offset = 0n;
  let events = 0;
  const archives = [];
  const choose = random(seed, 2, 0);
  const send = async () => {
    if (!gzip.write(Buffer.concat(parts, size))) await once(gzip, 'drain');
    parts = [];
    size = 0;
  };
  const update = async (members) => {
    offset += BigInt(1 + (choose() % 3));
    w.clear();
    w.messageField(1, () => {
      w.stringField(1, `1220${offset.toString(16).padStart(64, '0')}`);
      w.stringField(2, `command-${offset}`);
      w.messageField(4, () => writeTimestamp(w, members[0].micros));
      for (let node = 0; node < members.length; node++) {
        const m = members[node];
        if (m.event !== undefined) w.messageField(5, () => w.bytesField(1, m.event(offset, node)));
        else
          w.messageField(5, () =>
            w.messageField(2, () => {
              w.tag(1, 0).varint64(offset);
              if (node > 0) w.tag(2, 0).varint(node);
              w.stringField(3, m.id.toString('hex'));
              w.raw(m.template);
              w.stringField(6, 'bench-model');
            }),
          );
      }
      w.tag(6, 0).varint64(offset);
      w.stringField(7, SYNCHRONIZER);
      w.messageField(9, () => writeTimestamp(w, FIRST_MICROS + offset * 1000n));
    });
    const body = w.finish();
    const prefix = new WireWriter(8).varint(body.length).finish();
    parts.push(prefix, body);
    size += prefix.length + body.length;
    events += members.length;
    if (size > 1 << 20) await send();
  };
  let members = [];
  let wanted = 1 + (choose() % 4);
  for (const c of contracts(count, seed)) {
    const { bytes } = c;
    const pieces = { ...c.pieces };
    const micros = c.micros;
    members.push({
      micros,
      event(off, node) {
        pieces.offset = off;
        pieces.nodeId = node;
        return builder.event(new BlobView().parse(bytes), 0, bytes.length, pieces);
      },
    });
    if (random(seed, 3, c.i)() % 100 < ARCHIVED_PERCENT)
      archives.push({ micros, id: Buffer.from(c.id), template: Buffer.from(pieces.template) });
    if (members.length === wanted) {
      await update(members);
      members = [];
      wanted = 1 + (choose() % 4);
    }
  }
  if (members.length > 0) await update(members);
  for (let i = archives.length - 1; i > 0; i--) {
    const j = choose() % (i + 1);
    [archives[i], archives[j]] = [archives[j], archives[i]];
  }
  for (let i = 0; i < archives.length; ) {
    const n = 1 + (choose() % 4);
    await update(archives.slice(i, i + n));
    i += n;
  }
  await send();
  gzip.end();
  await once(file, 'finish');
  renameSync(`${path}.part`, path);
  return events;
}

/** Makes the files that are missing; returns their paths. */
export async function storeData(folder, count, seed = 1) {
  mkdirSync(folder, { recursive: true });
  const base = join(folder, `store-${count}-${seed}.acs.gz`);
  const stream = join(folder, `store-${count}-${seed}.updates.bin.gz`);
  if (!existsSync(base)) await snapshot(base, count, seed);
  if (!existsSync(stream)) await updates(stream, count, seed);
  return { base, stream };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, count, seed] = process.argv.slice(2);
  if (folder === undefined) {
    process.stderr.write('usage: node bench/tasks/storeData.mjs FOLDER [count] [seed]\n');
    process.exitCode = 2;
  } else
    process.stdout.write(
      `${JSON.stringify(await storeData(folder, Number(count ?? 1_000_000), Number(seed ?? 1)))}\n`,
    );
}
