import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { loadDars } from '../../src/dar/catalog.js';
import { authenticate } from '../../src/hash/authenticate.js';
import { fixture, shared } from '../fixtures.js';

interface Real {
  idVersion: string;
  templateId: string;
  blobBase64: string;
}

const { realContracts } = JSON.parse(
  gunzipSync(readFileSync(fixture('hash/contract-hash.json.gz'))).toString('utf8'),
) as { realContracts: Real[] };

describe('contracts of public networks', () => {
  it('verify as far as no package is needed', () => {
    for (const { idVersion, blobBase64, templateId } of realContracts) {
      const verdict = authenticate(new BlobView().parse(Buffer.from(blobBase64, 'base64')));
      expect(verdict.code, templateId).toBe(idVersion === 'ca12' ? 'NEEDS_PACKAGE' : 'VALID');
      if (idVersion === 'ca12') expect(verdict.packageId).toBe(templateId.slice(0, 64));
      else expect(verdict.remarks).toContain('TYPES_NOT_CHECKED');
    }
  });

  const dars = shared('public/dars');
  it.skipIf(dars === undefined)('verify with the real DARs of their packages', async () => {
    const folder = dars as string;
    const files = readdirSync(folder).filter((name) => /^(splice|canton)-.*\.dar$/.test(name));
    const packages = await loadDars(
      files.map((name) => join(folder, name)),
      { cacheDir: false },
    );
    let withTypes = 0;
    for (const { idVersion, blobBase64, templateId } of realContracts) {
      const verdict = authenticate(new BlobView().parse(Buffer.from(blobBase64, 'base64')), { packages });
      const known = packages.get(templateId.slice(0, 64)) !== undefined;
      if (known) {
        expect(verdict.code, templateId).toBe('VALID');
        if (idVersion === 'ca12') withTypes++;
      } else if (!templateId.includes(':Splice.')) {
        expect(verdict.code, templateId).toBe(idVersion === 'ca12' ? 'NEEDS_PACKAGE' : 'VALID');
      } else {
        // Another version of splice-amulet gives the same hash.
        expect(verdict.code, templateId).toBe('VALID');
        expect(verdict.remarks).toContain('TYPES_OF_OTHER_PACKAGE');
        withTypes++;
      }
    }
    expect(withTypes).toBe(4);
  });
});
