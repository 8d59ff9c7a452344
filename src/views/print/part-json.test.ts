import { expect } from 'chai';
import { FULL } from '../../report/golden/samples.js';
import { renderJson } from '../../report/json.js';
import { renderPart } from './part-json.js';

describe('renderPart', () => {
  it('writes parts as the whole result has them, in the order given', () => {
    const { warnings, memory, dump } = FULL;
    const text = renderPart({ dump, memory, warnings });
    expect(text).to.match(/\}\n$/);
    const whole = JSON.parse(renderJson(FULL)) as Record<string, unknown>;
    const part = JSON.parse(text) as Record<string, unknown>;
    expect(Object.keys(part)).to.deep.equal(['dump', 'memory', 'warnings']);
    for (const name of ['dump', 'memory', 'warnings']) {
      expect(JSON.stringify(part[name]), name).to.equal(JSON.stringify(whole[name]));
    }
  });

  it('keeps what the result does not have, and null for a part that is missing', () => {
    expect(renderPart({ drivers: 3, memory: null, canAnalyze: { b: true, a: undefined } })).to.equal(
      '{\n  "drivers": 3,\n  "memory": null,\n  "canAnalyze": {\n    "b": true,\n    "a": null\n  }\n}\n',
    );
  });

  it('escapes what a terminal could act on, and only that', () => {
    const text = 'a\u009b\u202e\u001b\u200b\u2028ä😀\ud800';
    const json = renderPart({ text });
    expect(json).to.include('"a\\u009b\\u202e\\u001b\\u200b\\u2028ä😀\\ud800"');
    expect(JSON.parse(json)).to.deep.equal({ text });
  });
});
