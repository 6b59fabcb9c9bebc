import { describe, it } from 'vitest';

// Being written; taken.
describe('recovery', () => {
  it.todo('is on its way');
});
