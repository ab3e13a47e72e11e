/*
 * matomo.js with the window: doc/client.md, "With matomo.js".
 */
'use strict';

const fs = require('fs');
const path = require('path');
const { is, sql, world, some, forget, table, context, open, views, viewed, sent, quiet, cookiesOf, scripts } = require('../helpers.js');

const tests = module.exports = {};

const cell = text => text === 'none' ? '' : text;

/* What the window puts into the queue; matomo.js is away. */
tests.matomo = async () => {
	for (const [mode, undecided, agreed, agrees, refuses] of some(1, table('With matomo.js').reverse())) {
		const where = await context();
		const calls = page => page.evaluate(() => {
			const list = window._paq.filter(c => c.isFromWindow).map(c => [...c].join(' ')).join(', ');

			window._paq.length = 0;
			return list;
		});
		const wanted = (said, list) => ['appendToTrackingUrl consent=' + said, cell(list)].filter(c => c).join(', ');
		/* a site that does not ask says nothing to those who have not been asked */
		const ask = mode === 'not_asked';

		await where.route(/matomo\.js/, route => route.abort());
		const page = await open(where, mode, '?matomo&window');

		is(await calls(page), ask ? '' : wanted(-1, undecided), `matomo.js, ${mode}: undecided`);
		if (ask)
			await page.click('#consent');
		await page.getByRole('button', { name: 'Agree' }).click();
		is(await calls(page), wanted(1, agrees === 'the same' ? agreed : agrees), `matomo.js, ${mode}: agrees`);
		await open(page, mode, '?matomo&window');
		is(await calls(page), wanted(1, agreed), `matomo.js, ${mode}: agreed`);
		await page.click('#consent');
		await page.getByRole('button', { name: 'Refuse' }).click();
		is(await calls(page), wanted(0, refuses), `matomo.js, ${mode}: withdraws`);
		await open(page, mode, '?matomo&window');
		is(await calls(page), wanted(0, ask ? 'requireConsent' : undecided), `matomo.js, ${mode}: refused`);
		await where.close();
	}
};

/*
 * The same pages with a matomo.js: two pages, with what is done on the first; page
 * views that leave, rows, cookies on the page's host.
 */
const cases = [
	['ask_else_nothing', 'Agree', 2, 'identified identified', '_pk_id _pk_ses'],
	['ask_else_anonymous', 'Agree', 2, 'anonymous identified', '_pk_id _pk_ses'],
	['not_asked', '', 2, 'identified identified', '_pk_id _pk_ses'],
	['not_asked', 'Refuse', 1, 'identified', 'mtm_consent_removed'],
	['ask_else_nothing', 'Escape', 0, '', ''],
	['ask_else_nothing', 'Refuse', 0, '', 'mtm_consent_removed'],
	['ask_else_nothing', 'Agree Refuse', 1, 'identified', 'mtm_consent_removed'],
	['ask_else_anonymous', 'Escape', 2, 'anonymous anonymous', ''],
	['ask_else_anonymous', 'Refuse', 2, 'anonymous anonymous', ''],
	['ask_else_anonymous', 'Agree Refuse', 2, 'anonymous anonymous', '']
];

async function runCase(what, [site, deeds, wantedViews, wantedRows, wantedCookies]) {
	const where = await context();
	const said = `${what}, ${site}, ${deeds || 'undecided'}: `;

	forget(site);
	const page = await open(where, site, '?matomo&window');

	if (site !== 'ask_else_nothing')
		await viewed(1);
	for (const deed of deeds.split(' ').filter(d => d)) {
		if (deed === 'Escape') {
			await page.keyboard.press('Escape');
			continue;
		}
		if (!await page.getByRole('dialog').isVisible())
			await page.click('#consent');
		await page.getByRole('button', { name: deed }).click();
		if (deed === 'Agree')
			await (site === 'ask_else_nothing' ? viewed(1) : sent({ ping: '1' }));
	}
	is(await page.getByRole('dialog').isVisible(), false, said + 'the window is closed');
	await open(page, site, 'next.html?matomo&window');
	await viewed(wantedViews);
	await quiet(page);
	is(String(views().length), String(wantedViews), said + 'page views that left');
	is(sql(`SELECT string_agg(CASE WHEN idvisitor IS NULL THEN 'anonymous' ELSE 'identified' END, ' ' ORDER BY idlink_va) FROM pk_tracking.log_link_visit_action WHERE idsite = ${world.sites[site]}`),
		wantedRows, said + 'rows of the log');
	is((await cookiesOf(where, 'shop.test')).map(c => c.name.replace(/\..*/, '')).sort().join(' '), wantedCookies, said + "cookies on the page's host");
	is(page.faults.join(), '', said + 'no error');
	await where.close();
}

tests.withmatomo = async () => {
	const own = path.join(__dirname, '../matomo/matomo.js');
	const kinds = [['stand-in', path.join(__dirname, '../pages/stand-in.js')]];

	if (fs.existsSync(own))
		kinds.push(['matomo.js', own]);
	else
		console.log('       no matomo.js in test/client/matomo: the stand-in alone');
	for (const [what, file] of kinds) {
		fs.copyFileSync(file, path.join(scripts, 'matomo.js'));
		for (const one of what === 'matomo.js' ? cases : some(2, cases))
			await runCase(what, one);
	}
};
