import { expect } from 'chai';
import fc from 'fast-check';
import { parseAddress } from './address.js';

const of = (url: string, env: Record<string, string> = {}) => parseAddress(url, env);

describe('the address of a store', () => {
  it('is read as a URL of PostgreSQL', () => {
    const { words, config } = of('postgres://me:p%40%2Fw@db.example.net:6543/my%20dumps');
    expect(words).to.equal('postgres://me@db.example.net:6543/my%20dumps');
    expect(config).to.include({
      host: 'db.example.net',
      port: 6543,
      user: 'me',
      password: 'p@/w',
      database: 'my dumps',
    });
    expect(of('postgresql://[::1]/d').config).to.include({ host: '::1', port: 5432, ssl: false });
    expect(of('postgres:///d?host=/var/run/postgresql').config).to.include({ host: '/var/run/postgresql', ssl: false });
    expect(of('postgres://%2Fvar%2Frun/d').config).to.include({ host: '/var/run' });
    expect(of('postgres://h/d', { PGUSER: 'u', PGPASSWORD: 'p' }).config).to.include({ user: 'u', password: 'p' });
  });

  it('asks who the server is, unless it is this machine or the user says otherwise', () => {
    const tls = (url: string, env = {}) => of(url, env).config.ssl;
    for (const host of [
      'db.example.net',
      '10.0.0.7',
      '[2001:db8::1]',
      'localhost.example.net',
      '127.0.0.1.example.net',
    ]) {
      const ssl = tls(`postgres://${host}/d`);
      expect(ssl, host).to.include({ rejectUnauthorized: true, host: host.replace(/[[\]]/g, '') });
      expect(ssl, host).to.not.have.property('checkServerIdentity');
    }
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]'])
      expect(tls(`postgres://${host}/d`), host).to.equal(false);
    expect(tls('postgres://127.0.0.1/d?sslmode=verify-full')).to.include({ rejectUnauthorized: true });
    expect(tls('postgres://127.0.0.1/d', { PGSSLMODE: 'verify-ca' })).to.include({ rejectUnauthorized: true }).and.have.property('checkServerIdentity'); // prettier-ignore
    expect(tls('postgres://h/d?sslmode=disable')).to.equal(false);
    expect(tls('postgres://h/d?sslmode=require')).to.include({ rejectUnauthorized: false });
    expect(of('postgres://h/d?sslmode=require').notes.join()).to.include('nobody checks');
    expect(of('postgres://h/d?sslmode=disable').notes.join()).to.include('can be read on the way');
    expect(of('postgres://h/d').notes).to.deep.equal([]);
    for (const mode of ['prefer', 'allow', 'VERIFY-FULL', ''])
      expect(() => tls(`postgres://h/d?sslmode=${mode}`), mode).to.throw(/sslmode/);
    expect(() => tls('postgres://h/d', { PGSSLMODE: 'prefer' })).to.throw(/would go without TLS/);
    expect(() => tls('postgres://h/d?sslrootcert=/nowhere/ca.pem')).to.throw(
      'sslrootcert /nowhere/ca.pem cannot be read',
    );
    expect(() => tls('postgres://h/d?sslcert=/x')).to.throw('go together');
  });

  it('never tells a password, whatever is wrong with the address', () => {
    const secret = 'Tr0ub4dor';
    const part = fc.constantFrom('postgres://', 'postgres:/', 'http://', 'u', ':', '@', '/', '?', '#', '%', '%zz', '[', ']', ',', ' ', 'host', '5432', '99999', '&', '=', 'sslmode', 'prefer', 'x'); // prettier-ignore
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), fc.array(part, { maxLength: 10 }), (before, after) => {
        for (const url of [`postgres://u:${secret}@${after.join('')}`, `${before.join('')}${secret}${after.join('')}`, `postgres://u:${secret}${after.join('')}@h/d`]) {
          let said = '';
          try {
            said = of(url).notes.join();
          } catch (error) {
            expect(error).to.have.property('code', 'store-address');
            said = (error as Error).message;
          }
          if (url.startsWith(`postgres://u:${secret}`)) expect(said).to.not.include(secret);
        }
      }),
      { numRuns: 2_000 },
    ); // prettier-ignore
    for (const url of [`postgres://u:${secret}@h/d`, `postgres://h/d?user=u&password=${secret}`]) {
      const { words, notes } = of(url);
      expect(words + notes.join()).to.not.include(secret);
    }
  });
});
