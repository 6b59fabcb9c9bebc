import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { prepareFlights } from '../../src/data/flights-data.ts';
import { packageData } from '../../src/data/package-data.ts';

vi.mock('../../src/data/package-data.ts', () => ({ packageData: vi.fn() }));

it('a damaged package is told and nothing is left behind', async () => {
  const root = await mkdtemp(join(tmpdir(), 'tidemark-data-'));
  const parquet = join(root, 'flights-3m.parquet');
  await writeFile(parquet, 'PAR1');
  vi.mocked(packageData).mockReturnValue(parquet);
  await expect(prepareFlights(root)).rejects.toMatchObject({
    code: 'DATA_DAMAGED',
    message: expect.stringContaining(parquet),
  });
  expect(await readdir(root)).toEqual(['flights-3m.parquet']);
  await rm(root, { recursive: true });
});
