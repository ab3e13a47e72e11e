/*
 * What the tests of web/ need: a database with a generated week, roles with passwords,
 * the daemon that serves the pages, and Chromium.
 */
'use strict';

const { execFileSync, spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const path = require('path');

const top = path.join(__dirname, '../..');
const work = process.env.PKT_WORK;
const database = 'pk_pages';
const bin = execFileSync(process.env.PG_CONFIG, ['--bindir'], { encoding: 'utf8' }).trim();
const sleep = ms => new Promise(done => setTimeout(done, ms));
const roles = ['pages_daemon', 'pages_analyst', 'pages_one', 'pages_admin'];
const world = { browser: null, url: '', isLong: false, shots: '', picture: '' };
let passed = 0, failed = 0, daemon, hba, hbaBefore;

function ok(good, what, said) {
	good ? passed++ : failed++;
	console.log((good ? 'ok     ' : 'not ok ') + what + (good || said === undefined ? '' : '\n    ' + said));
	return good;
}

const is = (got, wanted, what) => ok(got === wanted, what, 'got:    ' + got + '\n    wanted: ' + wanted);

const psql = (args, input, db = database) => execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', db, ...args],
	{ input, encoding: 'utf8', maxBuffer: 1e9, env: Object.assign({}, process.env, { PGOPTIONS: '-c client_min_messages=warning' }), stdio: ['pipe', 'pipe', 'pipe'] }).trim();
const sql = (query, db) => psql([], query, db);
/* The rows of a query as objects. */
const rows = query => JSON.parse(sql(`SELECT coalesce(json_agg(r), '[]') FROM (${query}) r`));
const literal = value => value === null ? 'NULL' : "'" + String(value).replace(/'/g, "''") + "'";

async function until(what, seconds = 30) {
	const end = Date.now() + seconds * 1000;
	let answer;

	while (!(answer = await what()) && Date.now() < end)
		await sleep(20);
	return answer;
}

/* Sites 1 (the real trackers) to 4 (a generated week), 5 (hostile texts), 6 (empty). */
function makeDatabase() {
	const traffic = path.join(top, 'test/traffic');

	execFileSync('bash', ['-c', `. "$0/prepare.sh"; PGHOST=$1; export PGHOST; pkt_places=$2; traffic_prepare ${database} scale=${world.isLong || world.picture ? 100 : 12} first_site=2 && traffic_send`, traffic, process.env.PGHOST],
		{ stdio: ['ignore', 'ignore', 'inherit'], env: Object.assign({ top }, process.env) });
	sql(fs.readFileSync(path.join(__dirname, 'more.sql'), 'utf8'));
	for (const role of roles)
		sql(`DO $$ BEGIN IF to_regrole('${role}') IS NOT NULL THEN DROP OWNED BY ${role}; DROP ROLE ${role}; END IF; END $$; CREATE ROLE ${role} LOGIN PASSWORD 'secret of ${role}'`);
	sql(`ALTER ROLE pages_daemon NOINHERIT;
		SELECT pk_tracking.grant_analyst('pages_analyst'), pk_tracking.grant_analyst('pages_one', '{3}'), pk_tracking.grant_admin('pages_admin');
		SELECT pk_tracking.grant_web(r, 'pages_daemon') FROM unnest('{pages_analyst,pages_one,pages_admin}'::name[]) r`);
	hba = sql('SHOW hba_file');
	hbaBefore = fs.readFileSync(hba, 'utf8');
	fs.writeFileSync(hba, `local ${database} pages_daemon trust\nlocal ${database} postgres trust\nlocal ${database} all scram-sha-256\n` + hbaBefore);
	sql('SELECT pg_reload_conf()');
}

const freePort = () => new Promise(done => { const s = net.createServer(); s.listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); }); });

async function startDaemon() {
	const config = path.join(work, 'httpd.conf'), log = path.join(work, 'httpd.log'), port = await freePort();

	fs.writeFileSync(config, `web_root = '${path.join(work, 'web')}'\nlisten = '127.0.0.1:${port}'\n` +
		`database = 'host=${process.env.PGHOST} port=${process.env.PGPORT} dbname=${database} user=pages_daemon'\n` + (process.getuid() === 0 ? "user = 'postgres'\n" : ''));
	daemon = spawn(process.env.PK_TRACKING_HTTPD || path.join(bin, 'pk_tracking_httpd'), ['--config', config], { stdio: ['ignore', fs.openSync(log, 'a'), fs.openSync(log, 'a')] });
	world.url = `http://127.0.0.1:${port}`;
	if (!await until(() => new Promise(done => http.get(world.url + '/', a => { a.resume(); done(a.statusCode === 200); }).on('error', () => done(false)))))
		throw new Error('the daemon does not start: ' + fs.readFileSync(log, 'utf8'));
}

async function start() {
	makeDatabase();
	await startDaemon();
	const { chromium } = require('playwright-core');

	world.browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
}

async function stop() {
	await Promise.resolve(world.browser && world.browser.close()).catch(() => {});
	if (daemon)
		daemon.kill();
	if (daemon)
		await new Promise(done => daemon.exitCode !== null ? done() : daemon.on('exit', done));
	try {
		if (hba)
			fs.writeFileSync(hba, hbaBefore);
		sql('SELECT pg_reload_conf()', 'postgres');
		sql(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`, 'postgres');
		sql(roles.map(r => `DROP ROLE IF EXISTS ${r};`).join(' '), 'postgres');
	} catch (e) {
		ok(false, 'nothing is left behind', e.stderr || e.stack);
	}
	console.log(`pages: ${passed} passed, ${failed} failed`);
	process.exitCode = failed || !passed ? 1 : 0;
}

/* A context of its own; faults: what the page complained of. */
async function context(options = {}) {
	const made = await world.browser.newContext(Object.assign({ locale: 'en-US', viewport: { width: 1440, height: 900 } }, options));

	made.setDefaultTimeout(20000);
	return made;
}

async function newPage(where) {
	const page = await where.newPage();

	page.faults = [];
	page.on('pageerror', e => page.faults.push(e.stack));
	page.on('console', m => /content security policy|refused to/i.test(m.text()) && page.faults.push(m.text()));
	return page;
}

const states = {};

/* A page that is logged in; the log-in of a role is done once. */
async function loggedIn(role = 'pages_analyst', options = {}) {
	if (!states[role]) {
		const where = await context(), page = await newPage(where);

		await page.goto(world.url + '/');
		await page.getByLabel('User name').fill(role);
		await page.getByLabel('Password').fill('secret of ' + role);
		await page.getByRole('button', { name: 'Log in' }).click();
		await page.locator('#bar').waitFor();
		states[role] = await where.storageState();
		await where.close();
	}
	return newPage(await context(Object.assign({ storageState: states[role] }, options)));
}

const WEEK = 'period=range&date=2026-11-14&to=2026-11-20';

/* Opens an address of the pages, and waits until nothing is loading that is seen. */
async function open(page, query) {
	await page.goto(`${world.url}/?${query}`);
	return settled(page);
}

/* All panels are drawn: those below, too. */
async function settled(page) {
	await page.locator('main[data-ready]').waitFor();
	await page.evaluate(() => ['beforeprint', 'afterprint'].forEach(name => window.dispatchEvent(new Event(name))));
	await page.waitForFunction(() => !document.querySelector('main .loading, main [aria-busy]'));
	return page;
}

module.exports = { top, world, ok, is, sql, rows, literal, until, sleep, start, stop, context, newPage, loggedIn, open, settled, WEEK };
