/*
 * Browsers that refuse something, pages with mistakes, and pages that strangers
 * write into.
 */
'use strict';

const fs = require('fs');
const path = require('path');
const { ok, is, sql, until, sleep, hits, top, world, some, forget, context, open, views, viewed, sent, quiet, cookiesOf } = require('../helpers.js');

const tests = module.exports = {};

const key = site => `_pk_consent.${world.sites[site]}`;
const names = async where => (await where.cookies()).map(c => c.name.replace(/\d+$/, 'N')).sort().join(' ');
const answer = (where, site, said, days = 0) => where.addInitScript(([name, value]) => {
	if (location.hostname === 'shop.test' && !sessionStorage.getItem('told')) {
		localStorage.setItem(name, value);
		sessionStorage.setItem('told', '1');
	}
}, [key(site), said + '.' + Math.floor(Date.now() / 1000 - days * 86400)]);

/* Without sendBeacon, or if it refuses, fetch takes its place. */
tests.beacon = async () => {
	for (const [what, script] of some(1, [['absent', () => { delete Navigator.prototype.sendBeacon; }],
		['refuses', () => { Navigator.prototype.sendBeacon = () => false; }]])) {
		const where = await context();
		const page = await where.newPage();
		const kinds = [];

		await page.addInitScript(script);
		page.on('request', r => r.url().includes('matomo.php') && kinds.push(r.resourceType()));
		await open(page, 'hostile');
		await viewed(1);
		await page.click('#play');
		await sent({ e_c: 'Film' });
		is(`${kinds.join()} ${hits.map(h => h.method + h.status).join()} ${hits[0]._id === hits[1]._id}`, 'fetch,fetch POST204,POST204 true',
			`sendBeacon ${what}: fetch`);
		is(page.faults.join(), '', `sendBeacon ${what}: no error`);
		await where.close();
	}
};

/* An answer holds where the storage is refused or full, if only in a cookie. */
tests.storage = async () => {
	const refused = () => Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('no', 'SecurityError'); } });
	const full = () => { Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError'); }; };

	for (const [what, script] of some(1, [['full', full], ['refused', refused]])) {
		let where = await context();

		await where.addInitScript(script);
		let page = await open(where, 'hostile');

		await viewed(1);
		await page.evaluate(() => window.pk('consent', 'denied'));
		await page.click('#play');
		await open(page, 'hostile', 'next.html');
		await quiet(page);
		is(`${views().length} ${hits.some(h => h.e_c)} ${await names(where)}`, '1 false _pk_consent.N', `storage ${what}: who refuses sends nothing, also from the next page`);
		await where.close();

		if (world.isLong) {
			where = await context();
			await where.addInitScript(script);
			page = await open(where, 'hostile');
			await viewed(1);
			await page.evaluate(() => window.pk('optout'));
			await open(page, 'hostile', 'next.html');
			await quiet(page);
			is(`${views().length} ${await names(where)}`, '1 _pk_ignore.N', `storage ${what}: who opts out is not tracked, also on the next page`);
			await page.evaluate(() => window.pk('optin'));
			is(await names(where), '', `storage ${what}: until the visitor opts in`);
			await where.close();
		}

		where = await context();
		await where.addInitScript(script);
		page = await open(where, 'ask_else_nothing');
		await page.getByRole('button', { name: 'Agree' }).click();
		await viewed(1);
		await open(page, 'ask_else_nothing', 'next.html');
		await viewed(2);
		is(`${await page.getByRole('dialog').isVisible()} ${hits[0]._id === hits[1]._id} ${page.faults.join()}`, 'false true ', `storage ${what}: who agrees is asked once`);
		await page.click('#consent');
		await page.getByRole('button', { name: 'Refuse' }).click();
		await open(page, 'ask_else_nothing');
		await quiet(page);
		is(`${views().length} ${await page.getByRole('dialog').isVisible()} ${await names(where)}`, '2 false _pk_consent.N', `storage ${what}: and can withdraw`);
		await where.close();
	}
};

/* A page in a sandbox: reading cookies or the storage is an error there. */
tests.sandbox = async () => {
	let where = await context();
	let page = await open(where, 'hostile', '?sandbox');

	await viewed(1);
	is(`${hits[0]._id} ${page.faults.join()}`, 'undefined ', 'sandbox: a page view without an id');
	await page.evaluate(() => window.pk('consent', 'denied'));
	await page.click('#play');
	await sleep(200);
	is(hits.some(h => h.e_c), false, 'sandbox: who refuses sends nothing more');
	await where.close();

	where = await context();
	page = await open(where, 'ask_else_nothing', '?sandbox');
	await page.getByRole('button', { name: 'Agree' }).click();
	await viewed(1);
	is(`${views().length} ${page.faults.join()}`, '1 ', 'sandbox: the window works');
	await where.close();
};

tests.nocookies = async () => {
	/* as the site says: nowhere a cookie */
	for (const [mode, visitor] of some(1, [['ask_else_anonymous', 'anonymous'], ['not_asked', 'identified']])) {
		const site = mode + ', force_cookieless_tracking = on';

		forget(site);
		const where = await context();
		const page = await open(where, site);

		await viewed(1);
		await open(page, site, 'next.html');
		await viewed(2);
		is(`${hits.map(h => h._id).join('')} ${await names(where)}`, ' ', `force_cookieless_tracking, ${visitor}: no id, no cookie on any host`);
		is(sql(`SELECT count(DISTINCT idvisit) || ' ' || count(*) || ' ' || count(idvisitor) FROM pk_tracking.log_link_visit_action WHERE idsite = ${world.sites[site]}`),
			visitor === 'identified' ? '1 2 2' : '1 2 0', `force_cookieless_tracking, ${visitor}: rows of one visit`);
		await where.close();
	}
	/* as the page says: also none on the daemon's host, which the site would allow */
	const where = await context();

	await where.addInitScript(() => { window._paq = [['requireCookieConsent']]; });
	const page = await open(where, 'ask_else_anonymous');

	await viewed(1);
	await page.click('#play', { force: true, trial: true }).catch(() => {});
	is(await names(where), '', 'the page wants no cookies: no cookie on any host');
	await page.evaluate(() => window._paq.push(['rememberCookieConsentGiven'], ['trackEvent', 'cookies', 'now']));
	await sent({ e_c: 'cookies' });
	await until(async () => (await names(where)).includes(' '));
	is(await names(where), '_pk_anonymous _pk_anonymous.N', 'and then wants them');
	await page.evaluate(() => window._paq.push(['forgetCookieConsentGiven']));
	is((await cookiesOf(where, 'shop.test')).length, 0, 'and then not');
	await where.close();
};

/* cookie_renewal = off: the cookie ends when it would have ended. */
tests.renewal = async () => {
	for (const [site, days] of some(1, [['unrenewed', 293], ['hostile', 393]])) {
		const where = await context();
		const first = Math.floor(Date.now() / 1000) - 100 * 86400;

		await where.addCookies([{ name: '_pk_id.' + world.sites[site], value: ['0123456789abcdef', 3, first, first, first, '', first].join('.'), domain: 'shop.test', path: '/' }]);
		await open(where, site);
		await viewed(1);
		const [cookie] = await cookiesOf(where, 'shop.test');

		is(`${hits[0]._id} ${hits[0]._idvc} ${Math.round((cookie.expires - Date.now() / 1000) / 86400)}`, `0123456789abcdef 4 ${days}`,
			`cookie_renewal ${site === 'hostile' ? 'on' : 'off'}: ${days} days are left`);
		await where.close();
	}
};

/* An answer that is too old is none; pk.js knows without the window, which blockers like to remove. */
tests.days = async () => {
	for (const [site, days, isOld] of some(1, [['designed', 31, true], ['designed', 29, false], ['ask_else_nothing', 179, false], ['ask_else_nothing', 181, true]]))
		for (const blocked of isOld ? some(1, [true, false]) : [false]) {
			const where = await context();

			await answer(where, site, 'granted', days);
			if (blocked)
				await where.route(/consent\.js/, route => route.abort());
			const page = await open(where, site);
			const sends = site === 'designed' ? 'anonymous' : 'nothing';

			await quiet(page);
			is(`${await page.getByRole('dialog').isVisible()} ${await page.evaluate(() => window.pk('state').sends)} ${await names(where)}`,
				isOld ? `${!blocked} ${sends} ${sends === 'anonymous' ? '_pk_anonymous _pk_anonymous.N' : ''}` : 'false identified _pk_id.N',
				`${site}: an answer of ${days} days ${isOld ? 'is too old' : 'holds'}${blocked ? ', without the window' : ''}`);
			await where.close();
		}
	if (!world.isLong)
		return;
	const where = await context();

	await answer(where, 'hostile', 'denied', 3000);
	await quiet(await open(where, 'hostile'));
	is(hits.length, 0, 'who refused unasked is not asked, so that holds');
	await where.close();
};

/* What a page says in one tab is known in the other. */
tests.tabsdecide = async () => {
	const where = await context();
	const one = await open(where, 'ask_else_nothing');
	const two = await open(where, 'ask_else_nothing', 'next.html');

	await one.getByRole('button', { name: 'Agree' }).click();
	await viewed(2);
	is(views().map(h => h.action_name).sort().join() + ' ' + await until(async () => !await two.getByRole('dialog').isVisible(), 5), 'Next,Shop true',
		'two tabs: one answer closes both windows, and both page views are sent');
	is(hits[0]._id, hits[1]._id, 'two tabs: of one visitor');
	await two.click('#consent');
	await two.getByRole('button', { name: 'Refuse' }).click();
	const before = hits.length;

	await one.click('#play');
	await sleep(300);
	is(`${hits.length - before} ${await names(where)}`, '0 ', 'two tabs: what is withdrawn in one is withdrawn in the other');
	await where.close();
};

/* A page that is rendered before it is shown counts when it is shown. */
tests.prerender = async () => {
	const where = await context();
	const page = await where.newPage();

	await page.addInitScript(() => Object.defineProperty(document, 'prerendering', { value: true, configurable: true }));
	await open(page, 'hostile', '?queue');
	await quiet(page);
	is(hits.length + ' ' + await names(where), '0 ', 'prerendered: nothing is sent or stored');
	await page.evaluate(() => {
		Object.defineProperty(document, 'prerendering', { value: false });
		document.dispatchEvent(new Event('prerenderingchange'));
	});
	await sent({ e_c: 'early' });
	is(hits.map(h => h.action_name || h.e_c).join(), 'Shop,early', 'prerendered: shown, it is a page view, and what the page said is sent');
	await where.close();
};

tests.twice = async () => {
	let where = await context();
	let page = await open(where, 'hostile', '?twice');

	await viewed(1);
	await page.click('#play');
	await page.click('#route');
	await viewed(2);
	await sleep(300);
	is(hits.map(h => h.action_name || 'event ' + h.e_c).sort().join(), 'Film,Shop,event Film', 'two tags: each thing once');
	await where.close();

	where = await context({ bypassCSP: true });
	page = await open(where, 'hostile');
	await page.addScriptTag({ content: fs.readFileSync(path.join(top, 'client/pk.js'), 'utf8') });
	await viewed(1);
	await sleep(300);
	is(views().length + page.faults.join(), '1', 'nor does a copy in the page do anything');
	await where.close();

	where = await context();
	page = await open(where, 'ask_else_nothing', '?twice');
	await page.getByRole('button', { name: 'Agree' }).click();
	is(await page.locator('#pk-consent-window').count() + ' ' + await page.getByRole('dialog').isVisible(), '1 false', 'two tags: one window');
	await where.close();
};

/* The mistakes of a page stay its own. */
tests.mistakes = async () => {
	const where = await context();
	const page = await open(where, 'hostile', '?mistakes');

	await sent({ e_c: 'good' });
	is(hits.map(h => h.action_name || h.e_c).join(), 'Shop,good', 'wrong calls: the others are tracked');
	is(await page.evaluate(() => {
		window.pk('order');
		window.pk('event', { toString: () => { throw new Error(); } }, 'x');
		window._paq.push(['trackEcommerceOrder'], null, ['noSuchCall']);
		return 'whole';
	}), 'whole', 'wrong calls: they do not break what calls them');
	await page.evaluate(() => window.pk('event', 'still', 'there'));
	ok(await sent({ e_c: 'still' }), 'wrong calls: nor what comes after');
	await where.close();
};

/* Matomo's own examples say false for what is missing. */
tests.missing = async () => {
	const where = await context();
	const page = await open(where, 'hostile');

	await viewed(1);
	await page.evaluate(() => {
		window._paq.push(['setEcommerceView', false, false, 'Films'], ['trackPageView']);
		window._paq.push(['trackSiteSearch', 'red', false, false], ['addEcommerceItem', 'sku1', 'Film', false, 9.5],
			['trackEcommerceOrder', 'o9', 20, 19, 1, 0, false], ['trackLink', 'https://elsewhere.test/y']);
	});
	await sent({ link: 'https://elsewhere.test/y' });
	await until(() => views().length > 1 && hits.some(h => h.search) && hits.some(h => h.ec_id));
	const [search, order] = [hits.find(h => h.search), hits.find(h => h.ec_id)];

	is([views()[1]._pks, views()[1]._pkn, views()[1]._pkc, search.search_cat, search.search_count, order.ec_dt].join(), ',,Films,,,', 'what is false is left out');
	await until(() => sql(`SELECT count(*) FROM pk_tracking.log_conversion WHERE idsite = ${world.sites.hostile} AND idorder = 'o9'`) === '1');
	is(sql(`SELECT idorder || ' ' || revenue FROM pk_tracking.log_conversion WHERE idsite = ${world.sites.hostile} AND idorder = 'o9'`), 'o9 20', 'and the order is in the log');
	await where.close();
};

/* A cookie that somebody else has written. */
tests.damaged = async () => {
	for (const value of some(1, ['0123456789abcdef.1.1700000000.1700000000..<script>.1700000000', 'x', '0123456789abcdef', '0123456789ABCDEF.1.1.1...1', '0123456789abcdef.' + '9'.repeat(3000)])) {
		const where = await context();

		await where.addCookies([{ name: '_pk_id.' + world.sites.hostile, value, domain: 'shop.test', path: '/' }]);
		await open(where, 'hostile');
		await viewed(1);
		is(`${hits[0].status} ${hits[0]._id !== '0123456789abcdef'} ${hits[0]._idvc}${hits[0]._ects || ''}`, '204 true 1', `a damaged cookie (${value.slice(0, 30)}) is replaced`);
		await where.close();
	}
};

/* A page that gives its cookies a domain after they had none. */
tests.domain = async () => {
	const where = await context();
	const page = await open(where, 'hostile');
	const all = async () => (await where.cookies()).filter(c => c.name.startsWith('_pk_id')).map(c => c.domain).join();

	await viewed(1);
	await page.evaluate(() => {
		window._paq.push(['setCookieDomain', '*.shop.test']);
		window.pk('event', 'domain', 'set');
	});
	await sent({ e_c: 'domain' });
	is(`${await all()} ${hits[1]._id === hits[0]._id}`, '.shop.test true', 'the domain of cookies: one cookie, the same visitor');
	await page.evaluate(() => window.pk('consent', 'denied'));
	is(await all(), '', 'the domain of cookies: none is left of who refuses');
	await where.close();
};

/* Elements whose names stand before those of the document and the window, and a polluted prototype. */
tests.clobbered = async () => {
	let where = await context();
	const wrong = [];

	where.on('request', r => r.url().endsWith('/matomo.php') && wrong.push(r.url()));
	let page = await open(where, 'hostile', '?clobber');

	await quiet(page);
	is(wrong.join(), '', 'an image named currentScript does not get the hits');
	is(page.faults.join(), '', 'and no name is an error');
	await where.close();

	where = await context();
	page = await open(where, 'ask_else_nothing', '?clobber');
	await page.getByRole('button', { name: 'Refuse' }).click();
	is(`${await page.getByRole('dialog').isVisible()} ${page.faults.join()}`, 'false ', 'the window works on such a page');
	await where.close();

	where = await context();
	await where.addInitScript(() => {
		Object.prototype.evil = 'yes';
		Object.prototype.token_auth = function () {};
	});
	page = await open(where, 'hostile');
	await viewed(1);
	is(`${hits[0].evil} ${hits[0].token_auth} ${page.faults.join()}`, 'undefined undefined ', 'a polluted prototype is in no hit');
	await page.evaluate(() => window.pk('set', '__proto__', { polluted: 1 }));
	is(await page.evaluate(() => ({}).polluted), undefined, 'and none is polluted');
	await where.close();
};

/* Texts are texts; and the style holds where the page's policy allows no inline one. */
tests.texts = async () => {
	const where = await context();
	const page = await open(where, 'texts', '?lang=constructor');
	const dialog = page.getByRole('dialog');

	await page.evaluate(() => addEventListener('securitypolicyviolation', e => { window.violated = e.violatedDirective; }));
	is(await dialog.getByRole('heading').textContent(), '<img src=x onerror="window.pwned=1"></script>\u2028"', 'texts of the window are no HTML');
	is(await page.evaluate(() => [window.pwned, window.violated].join()), ',', 'and nothing runs');
	is(await dialog.getByRole('button').first().evaluate(e => getComputedStyle(e).backgroundColor), 'rgb(26, 79, 139)', 'its style holds under a strict policy');
	is(await dialog.evaluate(e => getComputedStyle(e).direction), 'ltr', 'and it reads from left to right');
	await open(page, 'texts', '?lang=ar');
	is(await dialog.evaluate(e => getComputedStyle(e).direction), 'rtl', 'or from right to left');
	is(page.faults.join(), '', 'no error, no breach of the policy');
	await where.close();
};
