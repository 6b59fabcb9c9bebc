import * as kit from '@tidemark/actors/testing';
import { expect, test } from 'vitest';
import * as umbrella from '../dist/testing.js';

test('tidemark/testing is the test kit of actors, all of it', () => {
  expect(Object.keys(umbrella).sort()).toEqual(Object.keys(kit).sort());
  expect(umbrella.testActor).toBe(kit.testActor);
});
