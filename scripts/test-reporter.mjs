/**
 * Vitest reporter: a line per file, failures in full, the reason of every skipped test, and exact counts.
 *
 * Owns: what is a pass, a failure and a skip. Does not own the last line when `run-vitest.mjs` runs us: that one prints it.
 *
 * - R1 Whatever went wrong counts at least one failure: a test, a hook, a file that does not load, an error that nobody
 *   caught, a test that never ended.
 * - R2 A test that prints a line `SKIP reason` is skipped, also when it then returns: it showed nothing.
 * - R3 Where services are required (TIDEMARK_REQUIRE_SERVICES=1, set in CI), a skip whose reason starts with `service:` is a failure.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { describeError, paint } from './test-errors.mjs';

const servicesRequired = process.env.TIDEMARK_REQUIRE_SERVICES === '1';
const proving = process.env.TIDEMARK_PROVE === '1';
const summaryFile = process.env.TIDEMARK_TEST_SUMMARY;

export default class TestReporter {
  #vitest;
  #counts = { passed: 0, failed: 0, skipped: 0, complete: false };
  #failedNames = [];
  #startedAt = new Map();
  #logs = new Map();
  #reported = new Set();

  onInit(vitest) {
    this.#vitest = vitest;
  }

  onTestModuleQueued(testModule) {
    this.#startedAt.set(testModule.id, performance.now());
  }

  onUserConsoleLog(log) {
    if (proving) process.stdout.write(log.content);
    const key = log.taskId ?? '';
    this.#logs.set(key, (this.#logs.get(key) ?? '') + log.content);
  }

  onTestModuleEnd(testModule) {
    this.#reportModule(testModule, 'a test that never ended');
  }

  onTestRunEnd(testModules, unhandledErrors, reason) {
    for (const testModule of testModules) {
      if (!this.#reported.has(testModule.id)) this.#reportModule(testModule, 'its process ended before it was done');
    }
    for (const error of unhandledErrors) this.#fail('error that no test caught', [error], '');
    if (reason === 'interrupted') this.#fail('interrupted', [], '');
    if (this.#failedNames.length > 1) print(`\nFailed:\n${this.#failedNames.map((name) => `  ✗ ${name}`).join('\n')}`);
    this.#counts.complete = true;
    this.#save();
    if (this.#counts.failed > 0) process.exitCode = 1;
    if (summaryFile === undefined)
      print(`${this.#counts.passed} passed, ${this.#counts.failed} failed, ${this.#counts.skipped} skipped`);
  }

  #reportModule(testModule, unfinishedReason) {
    this.#reported.add(testModule.id);
    const tests = [...testModule.children.allTests()];
    const outcomes = tests.map((test) => this.#outcome(test, unfinishedReason));
    const brokenGroups = [testModule, ...testModule.children.allSuites()].filter((group) => group.errors().length > 0);
    if (tests.length === 0 && brokenGroups.length === 0) {
      const error = {
        name: 'Error',
        message: testModule.state() === 'queued' ? 'The file did not run.' : 'No test in this file.',
      };
      brokenGroups.push({ ...named(testModule), errors: () => [error] });
    }
    const failed = outcomes.filter((outcome) => outcome.state === 'failed');
    const bad = failed.length + brokenGroups.length > 0;

    const milliseconds = performance.now() - (this.#startedAt.get(testModule.id) ?? performance.now());
    const shown = outcomes.filter((outcome) => !outcome.leftOutByFilter).length;
    const count = `${shown} test${shown === 1 ? '' : 's'}${failed.length > 0 ? `, ${failed.length} failed` : ''}`;
    const mark = bad ? paint.red('✗') : paint.green('✓');
    print(`${mark} ${fileOf(testModule)}  ${paint.dim(`${count}  ${seconds(milliseconds)}`)}`);

    for (const outcome of outcomes) this.#tell(outcome);
    for (const group of brokenGroups) this.#fail(named(group).fullName, group.errors(), this.#logs.get(group.id) ?? '');
    for (const id of [testModule.id, ...tests.map((test) => test.id)]) this.#logs.delete(id);
    this.#save();
  }

  #outcome(test, unfinishedReason) {
    const result = test.result();
    const log = this.#logs.get(test.id) ?? '';
    const fullName = named(test).fullName;
    const name = test.fullName;
    const milliseconds = test.diagnostic()?.duration;
    if (result.state === 'failed') return { state: 'failed', fullName, errors: result.errors, log, milliseconds };
    if (result.state === 'pending') {
      return {
        state: 'failed',
        fullName,
        errors: [{ name: 'Error', message: `Not finished: ${unfinishedReason}.` }],
        log,
      };
    }
    const printedReason = /^SKIP[: ]+(.+)$/m.exec(log)?.[1];
    if (result.state === 'passed' && printedReason === undefined) return { state: 'passed', name, milliseconds };

    const fileReason = /^SKIP[: ]+(.+)$/m.exec(this.#logs.get(test.module.id) ?? '')?.[1];
    const reason =
      result.note ?? printedReason ?? fileReason ?? (inBrokenGroup(test) ? 'its group failed before it' : undefined);
    if (servicesRequired && reason?.startsWith('service:')) {
      const message = `Skipped (${reason}), but services are required here: start the service or unset TIDEMARK_REQUIRE_SERVICES.`;
      return { state: 'failed', fullName, errors: [{ name: 'Error', message }], log };
    }
    return {
      state: 'skipped',
      name,
      reason,
      leftOutByFilter: reason === undefined && this.#vitest.config.testNamePattern !== undefined,
    };
  }

  #tell(outcome) {
    switch (outcome.state) {
      case 'passed':
        this.#counts.passed += 1;
        if (proving) print(`    ${paint.green('✓')} ${outcome.name}  ${seconds(outcome.milliseconds ?? 0)}`);
        return;
      case 'skipped':
        // Tests that the user's own `-t` left out are no news.
        if (outcome.leftOutByFilter) return;
        this.#counts.skipped += 1;
        print(
          `    ${paint.yellow('-')} ${outcome.name}  ${paint.yellow(`SKIP ${outcome.reason ?? 'no reason given'}`)}`,
        );
        return;
      default:
        this.#fail(outcome.fullName, outcome.errors, outcome.log, outcome.milliseconds);
    }
  }

  #fail(fullName, errors, log, milliseconds) {
    this.#counts.failed += 1;
    this.#failedNames.push(fullName);
    print(`\n  ${paint.red(`✗ ${fullName}`)}${milliseconds === undefined ? '' : `  ${seconds(milliseconds)}`}`);
    for (const error of errors) print(indent(describeError(error, process.cwd()), 4));
    if (log !== '' && !proving) print(indent(`${paint.dim('It printed:')}\n${log.trimEnd()}`, 4));
    print('');
  }

  /** After every file, so that the counts are known even when this process is killed. */
  #save() {
    if (summaryFile !== undefined) writeFileSync(summaryFile, JSON.stringify(this.#counts));
  }
}

/** A test, suite or file with the whole name that a person can search for. */
function named(entity) {
  if (entity.type === 'module') return { id: entity.id, fullName: fileOf(entity) };
  return { id: entity.id, fullName: `${fileOf(entity.module)} > ${entity.fullName}` };
}

function inBrokenGroup(test) {
  for (let group = test.parent; group !== undefined; group = group.parent) {
    if (group.errors().length > 0) return true;
    if (group.type === 'module') return false;
  }
  return false;
}

function fileOf(testModule) {
  return relative(process.cwd(), testModule.moduleId).replaceAll('\\', '/');
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(milliseconds < 9_950 ? 2 : 1)} s`;
}

function indent(text, width) {
  return text.replace(/^(?=.)/gm, ' '.repeat(width));
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
