import { expect } from 'chai';
import type { FoundFile } from './find-files.js';
import { Watcher, type FileState } from './watcher.js';

describe('batch: watcher', () => {
  const SETTLE = 600_000;
  const NOW = 10_000_000;
  let disk: Record<string, FileState>;
  let watcher: Watcher;
  let waits: string[];
  const files = (): FoundFile[] => Object.keys(disk).map((path) => ({ path, expected: true }));
  const ready = (now: number) =>
    watcher
      .ready(files(), now, (path) => waits.push(path))
      .map((file) => {
        return file.path;
      });
  const file = (path: string): FoundFile => ({ path, expected: true });

  beforeEach(() => {
    disk = {};
    waits = [];
    watcher = new Watcher(SETTLE, ({ path }) => disk[path] ?? null);
  });

  it('takes at once what has been at rest for long, and each file once', () => {
    disk = { a: { size: 1, mtimeMs: NOW - SETTLE } };
    expect(ready(NOW)).to.deep.equal(['a']);
    watcher.done(file('a'));
    expect(ready(NOW + 1)).to.deep.equal([]);
    expect(waits).to.deep.equal([]);
  });

  it('leaves a file that grows until it is the same twice', () => {
    for (let i = 0; i < 5; i++) {
      disk['a'] = { size: i, mtimeMs: NOW + i };
      expect(ready(NOW + i)).to.deep.equal([]);
    }
    expect(waits).to.deep.equal(['a']);
    expect(ready(NOW + 10)).to.deep.equal(['a']);
  });

  it('leaves one that is not whole until it changes, or was at rest for long', () => {
    disk['a'] = { size: 1, mtimeMs: NOW };
    ready(NOW);
    expect(ready(NOW + 1)).to.deep.equal(['a']);
    expect(watcher.mayGrow(file('a'), NOW + 1)).to.equal(true);
    watcher.deferred(file('a'));
    expect(ready(NOW + 2)).to.deep.equal([]);
    disk['a'] = { size: 2, mtimeMs: NOW + 3 };
    expect(ready(NOW + 3)).to.deep.equal([]);
    expect(ready(NOW + 4)).to.deep.equal(['a']);
    watcher.deferred(file('a'));
    expect(ready(NOW + 5)).to.deep.equal([]);
    expect(ready(NOW + 3 + SETTLE)).to.deep.equal(['a']);
    expect(watcher.mayGrow(file('a'), NOW + 3 + SETTLE)).to.equal(false);
  });

  it('takes a file again that was replaced, and forgets one that is gone', () => {
    disk['a'] = { size: 1, mtimeMs: 0 };
    ready(NOW);
    watcher.done(file('a'));
    disk['a'] = { size: 9, mtimeMs: 1 };
    expect(ready(NOW)).to.deep.equal(['a']);
    disk = {};
    expect(watcher.ready([file('a')], NOW, () => undefined)).to.deep.equal([]);
  });
});
