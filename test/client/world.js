/*
 * What the tests of client/ need: a database with sites, the daemon, two hosts
 * behind TLS (shop.test has the pages, stats.shop.test is the daemon's, and every hit on
 * its way there is noted), and Chromium.
 */
'use strict';

const { execFileSync, spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const https = require('https');
const os = require('os');
const path = require('path');

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'pk_client.'));
const pages = path.join(__dirname, 'pages');
const scripts = path.join(work, 'scripts');
const database = 'pk_client';
const pg = process.env.PG_CONFIG || 'pg_config';
const bin = execFileSync(pg, ['--bindir'], { encoding: 'utf8' }).trim();
const hits = [];						/* as parameters, with cookies and scripts noted too */
const codes = {};						/* site → its tags */
const sleep = ms => new Promise(done => setTimeout(done, ms));
let passed = 0, failed = 0, daemon, server, stats;

function ok(good, what, said) {
	good ? passed++ : failed++;
	console.log((good ? 'ok     ' : 'not ok ') + what + (good || said === undefined ? '' : '\n    ' + said));
	return good;
}

const is = (got, wanted, what) =>
	ok(got === wanted, what, 'got:    ' + got + '\n    wanted: ' + wanted);

function sql(query, db = database) {
	return execFileSync('psql', ['-X', '-q', '-A', '-t', '-F', ' ', '-v', 'ON_ERROR_STOP=1', '-d', db],
		{ input: query, encoding: 'utf8', env: Object.assign({ PGOPTIONS: '-c client_min_messages=warning' }, process.env) }).trim();
}

async function until(what, seconds = 60) {
	const end = Date.now() + seconds * 1000;
	let answer;

	while (!(answer = await what()) && Date.now() < end)
		await sleep(20);
	return answer;
}

/* The database and its sites: name → settings.  Gives name → number. */
function makeSites(wanted) {
	const sites = {};

	sql('DROP DATABASE IF EXISTS ' + database + ' WITH (FORCE)', 'postgres');
	sql('CREATE DATABASE ' + database, 'postgres');
	sql(`DO $$ BEGIN IF to_regrole('client_tracker') IS NULL THEN CREATE ROLE client_tracker LOGIN; END IF; END $$;
		CREATE EXTENSION pgcrypto; CREATE EXTENSION pk_tracking;
		SELECT pk_tracking.create_log();
		SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for}');
		SELECT pk_tracking.grant_tracker('client_tracker', edge => true)`);
	const rows = sql(`CREATE TEMPORARY TABLE wanted AS
		SELECT name, settings, pk_tracking.add_site(name, ARRAY['https://shop.test:${stats.port}']) AS id
			FROM json_each($json$${JSON.stringify(wanted)}$json$) AS w (name, settings);
		SELECT pk_tracking.set_site(id, s.key, s.value) FROM wanted, json_each_text(settings) s \\g /dev/null
		SELECT json_agg(json_build_array(name, id, pk_tracking.tracking_code(id, '${stats.url}'))) FROM wanted`);

	for (const [name, id, code] of JSON.parse(rows)) {
		sites[name] = id;
		codes[id] = code;
	}
	return sites;
}

function startDaemon() {
	const config = path.join(work, 'httpd.conf');
	const log = path.join(work, 'httpd.log');
	const port = process.env.PGPORT || 5432;

	fs.chmodSync(work, 0o755);
	fs.mkdirSync(scripts);
	fs.writeFileSync(config, `scripts = '${scripts}'\nlisten = '127.0.0.1:${stats.daemon}'\ntrusted_proxies = '127.0.0.1'\n` +
		`database = 'host=${process.env.PGHOST} port=${port} dbname=${database} user=client_tracker'\n` +
		(process.getuid() === 0 ? "user = 'postgres'\n" : ''));
	daemon = spawn(process.env.PK_TRACKING_HTTPD || path.join(bin, 'pk_tracking_httpd'), ['--config', config],
		{ stdio: ['ignore', fs.openSync(log, 'a'), fs.openSync(log, 'a')] });
	return until(() => new Promise(done => http.get({ port: stats.daemon, path: '/healthz' },
		answer => { answer.resume(); done(answer.statusCode === 200); }).on('error', () => done(false))))
		.then(up => { if (!up) throw new Error('the daemon does not start: ' + fs.readFileSync(log, 'utf8')); });
}

/* Notes what goes to the daemon's host, and passes it on. */
function pass(request, answer) {
	const parts = [];

	request.on('data', part => parts.push(part));
	request.on('end', () => {
		const body = Buffer.concat(parts).toString();
		const url = new URL(request.url, stats.url);
		const notes = [];

		if (url.pathname === '/matomo.php') {
			const queries = body[0] === '{' ? JSON.parse(body).requests : [body || url.search];

			for (const query of queries)
				notes.push(Object.assign(Object.fromEntries(new URLSearchParams(query)),
					{ method: request.method, cookie: request.headers.cookie || '', together: queries.length }));
		}
		const onward = http.request({ port: stats.daemon, path: request.url, method: request.method,
			headers: Object.assign({}, request.headers, { 'x-forwarded-for': '203.0.113.10', 'x-forwarded-proto': 'https' }) },
		inner => {
			answer.writeHead(inner.statusCode, inner.headers);
			inner.pipe(answer);
			inner.on('end', () => notes.forEach(note => hits.push(Object.assign(note, { status: inner.statusCode }))));
		});

		onward.on('error', () => answer.destroy());
		onward.end(body);
	});
}

/* What stands before the tags of a site, or in their place, by a word of the query. */
const heads = {
	calls: () => '<script src="/calls.js"></script>\n',
	queue: () => '<script src="/queue.js"></script>\n',
	mistakes: () => '<script src="/mistakes.js"></script>\n',
	clobber: () => ['currentScript', 'cookie'].map(name => `<img name="${name}" src="/page.png">`).join('') +
		'<a id="pk"></a><a id="pkConsent"></a>\n',
	twice: site => codes[site],
	window: site => codes[site].includes('consent.js') ? '' : `<script src="${stats.url}/consent.js?idsite=${site}" defer></script>\n`
};

/* matomo.js with the window of the site, if it asks. */
function matomoTags(site) {
	const window = codes[site].split('\n').filter(tag => tag.includes('consent.js'));

	return [...window, `<script src="/${site}/snippet.js" defer></script>`, `<script src="${stats.url}/matomo.js" defer></script>`].join('\n');
}

/* https://shop.test/SITE/…: one of the pages with the tags of the site; below app/ the single-page app. */
function serve(request, answer) {
	const url = new URL(request.url, 'https://shop.test');
	const [, site, name] = url.pathname.split('/');
	const file = path.join(pages, path.basename(url.pathname));
	const types = { '.css': 'text/css', '.js': 'text/javascript', '.pdf': 'application/pdf' };

	answer.setHeader('Content-Security-Policy', `default-src 'none'; script-src 'self' ${stats.url}; ` +
		`connect-src ${stats.url}; img-src 'self' ${stats.url}; style-src 'self'; require-trusted-types-for 'script'` +
		(url.searchParams.has('sandbox') ? '; sandbox allow-scripts' : ''));
	if (types[path.extname(file)] && fs.existsSync(file)) {
		answer.writeHead(200, { 'Content-Type': types[path.extname(file)] });
		answer.end(fs.readFileSync(file, 'utf8').replace('SITE', site).replace('URL', stats.url));
	} else if (codes[site]) {
		const extra = Object.keys(heads).filter(word => url.searchParams.has(word)).map(word => heads[word](site)).join('');
		const tags = url.searchParams.has('matomo') ? matomoTags(site) : codes[site];
		const lang = url.searchParams.get('lang') || 'en';

		answer.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
		answer.end(fs.readFileSync(path.join(pages, name === 'app' ? 'app.html' : 'page.html'), 'utf8')
			.replace('<!-- tracking -->', extra + tags).replace('lang="en"', `lang="${lang}"`)
			.replace(/Shop/g, name === 'next.html' ? 'Next' : 'Shop'));
	} else {
		answer.writeHead(404);
		answer.end();
	}
}

async function start(wanted) {
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
		'-subj', '/CN=shop.test', '-keyout', path.join(work, 'key'), '-out', path.join(work, 'cert')], { stdio: 'ignore' });
	server = https.createServer({ key: fs.readFileSync(path.join(work, 'key')), cert: fs.readFileSync(path.join(work, 'cert')) },
		(request, answer) => (request.headers.host.startsWith('stats.') ? pass : serve)(request, answer));
	await new Promise(done => server.listen(0, '127.0.0.1', done));
	const free = http.createServer();
	await new Promise(done => free.listen(0, '127.0.0.1', done));
	stats = { port: server.address().port, daemon: free.address().port };
	free.close();
	stats.url = 'https://stats.shop.test:' + stats.port;
	stats.shop = 'https://shop.test:' + stats.port;
	const sites = makeSites(wanted);
	await startDaemon();
	const { chromium } = require('playwright-core');
	const browser = await chromium.launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'], executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
		args: ['--no-sandbox', '--host-resolver-rules=MAP *.test 127.0.0.1'] });

	return { sites, browser, shop: stats.shop, url: stats.url };
}

function stop(browser) {
	return Promise.resolve(browser && browser.close()).catch(() => {}).then(() => {
		if (daemon)
			daemon.kill();
		if (server)
			server.closeAllConnections();
		if (server)
			server.close();
		try {
			sql('DROP DATABASE IF EXISTS ' + database + ' WITH (FORCE)', 'postgres');
		} catch (e) { /* it says so itself */ }
		fs.rmSync(work, { recursive: true, force: true });
		console.log(`client: ${passed} passed, ${failed} failed`);
		process.exitCode = failed || !passed ? 1 : 0;
	});
}

module.exports = { ok, is, sql, until, sleep, hits, start, stop, scripts };
