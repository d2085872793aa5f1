/** The packages of the corpus DARs. */
import { type DarCatalog, loadDars } from '../../src/dar/catalog.js';
import { fixture } from '../fixtures.js';

export const CORPUS_DARS = [
  'acme-holding-api-1.0.0',
  'acme-iou-1.0.0',
  'acme-iou-1.1.0',
  'acme-keys-1.0.0',
  'acme-registry-1.0.0',
  'acme-values-1.0.0',
].map((name) => fixture(`dars/${name}.dar`));

export function corpusPackages(): Promise<DarCatalog> {
  return loadDars(CORPUS_DARS, { cacheDir: false });
}
