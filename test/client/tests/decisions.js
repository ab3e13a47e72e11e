/*
 * What the log, the browser and the wire have under each decision: doc/client.md,
 * "Decisions" and "Cookies"; and what else that page lists.
 */
'use strict';

const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const { ok, is, sql, until, hits, top, world, forget, table, context, open, views, viewed, sent, quiet, cookiesOf } = require('../helpers.js');

const tests = module.exports = {};

tests.size = async () => {
	for (const [name, most] of [['pk.js', 6000], ['consent.js', 6000]]) {
		const size = zlib.gzipSync(fs.readFileSync(path.join(top, 'client', name)), { level: 9 }).length;

		ok(size <= most, `${name} has at most ${most} bytes gzipped`, size + ' bytes');
	}
};

/* ---- decisions: doc/client.md's table, row by row ---- */

const answers = { agreed: 'granted', refused: 'denied', withdraws: 'granted' };
const changes = { 'agrees on the first page': ['Agree', 'granted'], withdraws: ['Refuse', 'denied'] };

async function decide(row) {
	const [mode, decision, wantedViews, stored, onPage, onDaemon] = row;
	const site = mode;
	const where = await context();
	const page = await where.newPage();
	const what = `${mode}, ${decision}: `;
	const asks = !mode.startsWith('not_asked');
	const answer = answers[decision];
	const change = changes[decision];

	forget(site);
	if (answer)
		await where.addInitScript(([key, value]) => {
			if (location.hostname === 'shop.test' && !sessionStorage.getItem('told')) {
				localStorage.setItem(key, value);
				sessionStorage.setItem('told', '1');
			}
		}, [`_pk_consent.${world.sites[site]}`, answer + '.' + Math.floor(Date.now() / 1000)]);
	/* does the first page say something at once? */
	const says = asks ? answer === 'granted' || mode.startsWith('ask_else_anonymous') : answer !== 'denied';

	await open(page, site);
	await (says ? viewed(1) : quiet(page));
	if (change && asks) {
		if (!await page.getByRole('dialog').isVisible())
			await page.click('#consent');
		await page.getByRole('button', { name: change[0] }).click();
	} else if (change)
		await page.evaluate(said => window.pk('consent', said), change[1]);
	else if (asks && !answer)
		await page.keyboard.press('Escape');
	if (change && change[1] === 'granted')
		await (says ? sent({ ping: '4' }) : viewed(1));
	is(await page.getByRole('dialog').isVisible(), false, what + 'the window is closed');
	await open(page, site, 'next.html');
	await viewed(+wantedViews);
	await quiet(page);
	is(String(views().length), wantedViews, what + 'page views that left');
	const rows = sql(`SELECT string_agg(CASE WHEN idvisitor IS NULL THEN 'anonymous' ELSE 'identified' END, ', ' ORDER BY idlink_va),
		count(DISTINCT idvisit) FROM pk_tracking.log_link_visit_action WHERE idsite = ${world.sites[site]}`).replace(/^0$/, 'nothing 0');
	const [, kinds, visits] = /^(.*) (\d+)$/.exec(rows);

	is(kinds + (visits > 1 ? `: ${visits} visits` : ''), stored, what + 'rows of the log');
	is((await cookiesOf(where, 'shop.test')).map(c => c.name.replace(/\d+$/, 'N')).sort().join(', ') || 'none', onPage, what + "cookies on the page's host");
	is((await cookiesOf(where, 'stats.shop.test')).map(c => c.name).sort().join(', ') || 'none', onDaemon, what + "cookies on the daemon's host");
	if (kinds === 'nothing')
		is(hits.length, 0, what + 'no request but those for the scripts');
	is(sql(`SELECT count(*) FROM pk_tracking.log_visit WHERE idsite = ${world.sites[site]} AND idvisitor IS NULL AND location_ip NOT IN ('0.0.0.0', '::')`), '0', what + 'no address of those who have not agreed');
	is(page.faults.join(), '', what + 'no error');
	await where.close();
}

tests.decisions = async () => {
	const rows = table('Decisions');

	const short = ['ask_else_nothing undecided', 'ask_else_nothing agrees on the first page', 'ask_else_anonymous undecided', 'ask_else_anonymous withdraws'];
	const modes = ['not_asked', 'ask_else_nothing', 'ask_else_anonymous', 'ask_else_anonymous, anonymous_session_cookie = off', 'not_asked, force_cookieless_tracking = on', 'ask_else_anonymous, force_cookieless_tracking = on'];
	const decisions = ['undecided', 'agreed', 'agrees on the first page', 'withdraws', 'refused'];

	is(rows.map(r => r.slice(0, 2).join(' ')).join('; '), modes.flatMap(m => decisions.map(d => m + ' ' + d)).join('; '), 'doc/client.md has a row for each mode and decision');
	for (const row of world.isLong ? rows : rows.filter(r => short.includes(r[0] + ' ' + r[1])))
		await decide(row);
};

/* What each cookie holds, and how long: doc/client.md's other table. */
tests.cookies = async () => {
	const units = { days: 86400, minutes: 60 };
	const contexts = {};

	for (const [name, host, , lives] of table('Cookies')) {
		if (!units[lives.split(' ')[1]])
			continue;
		const site = name.includes('anonymous') ? 'ask_else_anonymous' : 'plain';

		if (!contexts[site])
			await open(contexts[site] = await context(), site);
		const where = contexts[site];
		const found = await until(async () => (await cookiesOf(where, host.startsWith('the page') ? 'shop.test' : 'stats.shop.test'))
			.find(c => c.name.replace(/\.\d+$/, '.N') === name));
		const seconds = found && Math.round(found.expires - Date.now() / 1000);
		const wanted = lives.split(' ')[0] * units[lives.split(' ')[1]];

		ok(found && found.secure && Math.abs(seconds - wanted) < 90, `${name} lives ${lives}`, found ? `${seconds} s, not ${wanted}` : 'it is not there');
	}
	for (const site in contexts)
		await contexts[site].close();
};

/* Which of Matomo's calls are understood. */
tests.documents = async () => {
	const source = fs.readFileSync(path.join(top, 'client/pk.js'), 'utf8');
	const names = text => text.match(/^\t\t\w+(?=[:,])/gm).map(n => n.trim()).sort().join(' ');

	is(table("Matomo's calls").map(r => r[0].split(/, */)).flat().sort().join(' '),
		[names(source.split('const calls = {')[1].split('\n\t};')[0]), 'ping'].join(' ').split(' ').sort().join(' '), "doc/client.md lists Matomo's calls");
	is(table('Commands').map(r => /'(\w+)'/.exec(r[0])[1]).sort().join(' '),
		names(source.split('const commands = {')[1].split('\n\t};')[0]), 'doc/client.md lists the commands');
	is(table('Settings').map(r => r[0]).sort().join(' '),
		source.split('const settings = {')[1].split('...')[0].match(/\w+(?=:)/g).sort().join(' '), 'doc/client.md lists the settings');
};
