import { expect } from 'chai';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { CODE_PAGES, MAXIMUM_TEXT_BYTES, decodeText } from './decode.js';
import { failed } from '../bytes/failure.js';

const SAMPLE = 'Pool - <unknown> - Größe, déjà vu\r\nThre - nt!ps - Потоки\r\n';
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('decodeText', () => {
  it('follows a byte order mark and leaves it out', () => {
    for (const encoding of ['utf8', 'utf16-le', 'utf16-be']) {
      expect(decodeText(iconv.encode(SAMPLE, encoding, { addBOM: true })), encoding).to.equal(SAMPLE);
    }
  });

  it('recognises UTF-16 without a mark, also where letters are not Latin', () => {
    for (const text of [SAMPLE, 'Потоки и память: всё, что есть\r\n', 'ab']) {
      for (const encoding of ['utf16-le', 'utf16-be']) {
        expect(decodeText(iconv.encode(text, encoding, { addBOM: false })), encoding).to.equal(text);
      }
    }
  });

  it('takes valid UTF-8 and ASCII for what they are', () => {
    expect(decodeText(Buffer.from(SAMPLE))).to.equal(SAMPLE);
    expect(decodeText(Buffer.from('Leak'))).to.equal('Leak');
    expect(decodeText(new Uint8Array())).to.equal('');
  });

  it('does not take a text with a few NULs for UTF-16', () => {
    expect(decodeText(Buffer.from(`Leak\0${'x'.repeat(100)}`))).to.equal(`Leak\0${'x'.repeat(100)}`);
  });

  it('tells the console code page from the editor code page', () => {
    for (const text of ['Größe', 'Speicher für Geräte', 'mémoire allouée déjà', 'año pequeño, acción', 'överallt på']) {
      for (const page of ['cp850', 'cp1252']) {
        expect(decodeText(iconv.encode(text, page)), `${text} in ${page}`).to.equal(text);
      }
    }
    const signs = 'the driver’s “pool”… – 5 € for ‘Name™’, „so“';
    expect(decodeText(iconv.encode(signs, 'cp1252'))).to.equal(signs);
  });

  it('uses the code page that the caller names, but only for what is neither UTF-16 nor UTF-8', () => {
    const russian = 'Потоки';
    expect(decodeText(iconv.encode(russian, 'cp866'), 'cp866')).to.equal(russian);
    expect(decodeText(iconv.encode(russian, 'cp1251'), 'cp1251')).to.equal(russian);
    expect(decodeText(bytes(0x9b, 0xe1), 'cp437')).to.equal('¢ß');
    expect(decodeText(bytes(0x9b, 0xe1), 'cp850')).to.equal('øß');
    expect(decodeText(Buffer.from(russian), 'cp866')).to.equal(russian);
  });

  it('knows every code page that it offers', () => {
    for (const page of CODE_PAGES) expect(iconv.encodingExists(page), page).to.equal(true);
  });

  it('removes end-of-file characters at the end only', () => {
    expect(decodeText(Buffer.from('a\u001ab\r\n\u001a\u001a'))).to.equal('a\u001ab\r\n');
    expect(decodeText(iconv.encode('ab\r\n\u001a', 'utf16-le', { addBOM: true }))).to.equal('ab\r\n');
  });

  it('refuses what no text file is as long as', () => {
    const huge = { length: MAXIMUM_TEXT_BYTES + 1 } as Uint8Array;
    expect(failed(decodeText(huge))).to.equal(true);
  });

  it('gives back what any encoder wrote (UTF-8), and a string for any bytes', () => {
    const words = fc
      .string({ unit: 'binary' })
      .filter((s) => !s.includes('\0') && !s.endsWith('\u001a') && !s.startsWith('\ufeff'));
    fc.assert(fc.property(words, (text) => decodeText(Buffer.from(text)) === text));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (raw) => typeof decodeText(raw) === 'string'));
  });
});
