import { describe, it } from 'vitest';

// Being written; taken.
describe('generator', () => {
  it.todo('is on its way');
});
