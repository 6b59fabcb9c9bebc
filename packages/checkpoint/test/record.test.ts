import { describe, it } from 'vitest';

// Being written; taken.
describe('record', () => {
  it.todo('is on its way');
});
