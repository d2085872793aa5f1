/** Rival: plain Node inflate of a file, asynchronous zlib with 1 MiB chunks, bytes thrown away. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

let bytes = 0;
const gunzip = createGunzip({ chunkSize: 1 << 20 });
createReadStream(process.argv[2], { highWaterMark: 1 << 20 }).pipe(gunzip);
for await (const chunk of gunzip) bytes += chunk.length;
process.stdout.write(`${bytes}\n`);
