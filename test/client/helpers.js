/*
 * What the tests in tests/ share: pages, hits and tables of doc/client.md.  The
 * runner puts browser, sites (name → number), shop (its URL) and the options in.
 */
'use strict';

const fs = require('fs');
const path = require('path');
const w = require('./world.js');
const { sql, until, sleep, hits } = w;

const top = path.join(__dirname, '../..');
const doc = fs.readFileSync(path.join(top, 'doc/client.md'), 'utf8');
const world = { browser: null, sites: {}, shop: '', isLong: false, shots: '' };

/* The rows of the first table below a heading of doc/client.md, as lists of cells. */
function table(heading) {
	const lines = doc.split('\n## ' + heading + '\n')[1].split('\n## ')[0].split('\n').filter(l => l.startsWith('|'));

	return lines.slice(2).map(l => l.replace(/`/g, '').split('|').slice(1, -1).map(c => c.trim()));
}

async function context(options = {}) {
	const made = await world.browser.newContext(Object.assign({ ignoreHTTPSErrors: true, locale: 'en-US' }, options));
	await made.route(/elsewhere\.test/, route => route.fulfill({ body: 'another site' }));

	made.setDefaultTimeout(60000);
	hits.length = 0;
	return made;
}

async function open(where, site, rest = '') {
	const page = where.goto ? where : await where.newPage();

	if (!page.faults) {
		page.faults = [];
		page.on('pageerror', e => page.faults.push(e.stack));
		page.on('console', m => /content security policy|require 'trusted/i.test(m.text()) && page.faults.push(m.text()));
	}
	await page.goto(`${world.shop}/${world.sites[site]}/${rest}`);
	return page;
}

/* The first n of a list, or with --long all of it: a context costs most of a second. */
const some = (n, list) => world.isLong ? list : list.slice(0, n);
/* Empties the log of a site. */
const forget = site => sql(`DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = ${world.sites[site]};
	DELETE FROM pk_tracking.log_visit WHERE idsite = ${world.sites[site]}`);
const views = () => hits.filter(h => h.action_name !== undefined);
const viewed = n => until(() => views().length >= n);
const sent = wanted => until(() => hits.find(h => Object.keys(wanted).every(k => h[k] === wanted[k])));
/* Longer than hits wait for the page: what has not been sent by then is not sent. */
const quiet = page => page.waitForLoadState('load').then(() => sleep(500));
const cookiesOf = async (where, host) => (await where.cookies()).filter(c => c.domain === host);

module.exports = Object.assign({ top, world, some, forget, table, context, open, views, viewed, sent, quiet, cookiesOf }, w);
