/*
 * The script and the window in a real browser.  What the log, the browser and the
 * wire must have under each decision is read from doc/client.md, "Decisions" and
 * "Cookies".
 *
 *	drive.js [--long] [--screenshots DIR] [TEST]...
 */
'use strict';

const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const w = require('./world.js');
const { ok, is, sql, until, sleep, hits } = w;

const top = path.join(__dirname, '../..');
const args = process.argv.slice(2);
const isLong = args.includes('--long');
const shots = args.includes('--screenshots') ? args[args.indexOf('--screenshots') + 1] : '';
const only = args.filter((a, i) => !a.startsWith('--') && args[i - 1] !== '--screenshots');
const doc = fs.readFileSync(path.join(top, 'doc/client.md'), 'utf8');
let browser, sites, shop;

/* The rows of the first table below a heading of doc/client.md, as lists of cells. */
function table(heading) {
	const lines = doc.split('\n## ' + heading + '\n')[1].split('\n## ')[0].split('\n').filter(l => l.startsWith('|'));

	return lines.slice(2).map(l => l.replace(/`/g, '').split('|').slice(1, -1).map(c => c.trim()));
}

async function context(options = {}) {
	const made = await browser.newContext(Object.assign({ ignoreHTTPSErrors: true, locale: 'en-US' }, options));
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
	}
	await page.goto(`${shop}/${sites[site]}/${rest}`);
	return page;
}

const views = () => hits.filter(h => h.action_name !== undefined);
const viewed = n => until(() => views().length >= n);
const sent = wanted => until(() => hits.find(h => Object.keys(wanted).every(k => h[k] === wanted[k])));
/* Longer than hits wait for the page: what has not been sent by then is not sent. */
const quiet = page => page.waitForLoadState('load').then(() => sleep(700));
const cookiesOf = async (where, host) => (await where.cookies()).filter(c => c.domain === host);

/* ---- features ---- */

const tests = {};

tests.size = async () => {
	for (const [name, most] of [['pk.js', 6000], ['consent.js', 6000]]) {
		const size = zlib.gzipSync(fs.readFileSync(path.join(top, 'client', name)), { level: 9 }).length;

		ok(size <= most, `${name} has at most ${most} bytes gzipped`, size + ' bytes');
	}
};

tests.features = async () => {
	const where = await context();
	const page = await open(where, 'plain', '?a=1');

	await viewed(1);
	let hit = hits[0];
	is([hit.action_name, hit.url, hit.res, hit.method, hit.status].join(' '), `Shop ${shop}/${sites.plain}/?a=1 1280x720 POST 204`, 'page view');
	ok(/^\d+$/.test(hit.pf_srv) && /^\d+$/.test(hit.pf_onl), 'page view: performance', JSON.stringify(hit));
	ok(/"fullVersionList"/.test(hit.uadata), 'page view: Client Hints', hit.uadata);
	ok(/^[0-9a-f]{16}$/.test(hit._id) && hit._idvc === '1' && !hit._viewts, 'page view: a new visitor');
	const id = hit._id;

	await page.click('#play');
	hit = await sent({ e_c: 'Film' });
	is(hit && [hit.e_a, hit.e_n, hit.e_v, hit._id].join(' '), `play Trailer 7 ${id}`, 'event');
	await page.click('#file');
	hit = await sent({ download: shop + '/files/list.pdf' });
	ok(hit && !hit.link, 'download');
	await page.click('#out');
	hit = await sent({ link: 'https://elsewhere.test/x?y=1' });
	ok(hit && !hit.download, 'outlink');
	hit = await sent({ c_n: 'Offer' });
	ok(!hit, 'a content is not looked for unasked');
	await page.evaluate(() => window.pk('contents'));
	hit = await sent({ c_n: 'Offer' });
	is(hit && [hit.c_p, hit.c_t, hit.c_i].join(' '), 'film.png /film ', 'content: seen');
	await page.click('#offer');
	hit = await sent({ c_i: 'click' });
	is(hit && [hit.c_n, hit.c_p, hit.c_t].join(' '), 'Offer film.png /film', 'content: clicked');
	is(views().length, 1, 'a link within the page is no page view');
	await page.click('#route');
	await viewed(2);
	is(views()[1] && [views()[1].action_name, views()[1].url, views()[1].urlref].join(' '),
		`Film ${shop}/${sites.plain}/film?id=7 ${shop}/${sites.plain}/?a=1`, 'route of a single-page app');
	ok(views()[1].pv_id !== views()[0].pv_id && views()[1].pf_srv === undefined, 'route: a page view of its own');
	await page.evaluate(() => history.back());
	await viewed(3);
	is(views()[2].url, `${shop}/${sites.plain}/?a=1#offer`, 'route: back');
	is(page.faults.join(), '', 'the policy of the page and its scripts agree');
	await until(() => +sql(`SELECT count(*) FROM pk_tracking.action WHERE idsite = ${sites.plain}`) === 8);
	is(sql(`SELECT count(DISTINCT idvisit), string_agg(kind, ' ' ORDER BY idlink_va) FROM pk_tracking.action WHERE idsite = ${sites.plain}`),
		'1 page event download outlink content content page page', 'all are rows of one visit');
	await where.close();
};

tests.calls = async () => {
	const where = await context();
	const page = await open(where, 'calls', '?matomo');

	await viewed(1);
	await sent({ c_n: 'Ad' });
	is(views().map(h => h.action_name).join(), 'Said', "Matomo's calls: the page says what is a page view");
	is(hits[0].dimension1, 'gold', "Matomo's calls: what is set comes first");
	ok(hits.some(h => h.search === 'red' && h.search_cat === 'Shoes' && h.search_count === '3'), 'search');
	ok(hits.some(h => h.idgoal === '1' && h.revenue === '2.5'), 'goal');
	ok(hits.some(h => h.idgoal === '0' && !h.ec_id && h.revenue === '19'), 'cart');
	const order = hits.find(h => h.ec_id === 'o1');

	is(order && order.ec_items, '[["sku1","Film",["Films","New"],9.5,2]]', 'order');
	is(order && [order.revenue, order.ec_st, order.ec_tx, order.ec_sh, order.ec_dt].join(' '), '20 19 1 0 0', 'order: its amounts');
	ok(order && order.together > 1 && order.status === 200, 'hits that waited go together');
	await page.evaluate(() => window.pk('event', 'after', 'order'));
	const after = await sent({ e_c: 'after' });

	ok(after && +after._ects > Date.now() / 1000 - 60, 'the time of the order is sent from then on');
	is(sql(`SELECT count(DISTINCT idvisit), string_agg(kind, ' ' ORDER BY idlink_va) FROM pk_tracking.action WHERE idsite = ${sites.calls}`),
		'1 page search content event', 'rows of the log');
	is(sql(`SELECT idgoal, idorder, revenue FROM pk_tracking.log_conversion WHERE idsite = ${sites.calls} AND idgoal = 0`),
		'0 o1 20', 'the order in the log');
	await where.close();
};

tests.queue = async () => {
	const where = await context();

	await open(where, 'calls', '?queue');
	await sent({ e_c: 'early' });
	is(hits.map(h => h.action_name || h.e_c).join(), 'Shop,early', "what the page said before: the page view, then the event");
	is([hits[0].uid, hits[0].dimension1, hits[0]._pks, hits[0]._pkc, hits[0]._pkp].join(' '), 'jo gold sku1 ["Films","New"] 9.5', 'and what it set is in both');
	is(hits[1].uid + hits[1].dimension1 + hits[1]._pks, 'jogoldundefined', 'but a product is of one page view');
	await where.close();
};

tests.time = async () => {
	const where = await context();
	const page = await where.newPage();

	await page.clock.install();
	await open(page, 'time');
	await page.clock.runFor(3000);
	await viewed(1);
	await page.evaluate(() => window.pk('heartbeat', 10));
	await page.clock.runFor(11000);
	ok(await sent({ ping: '1' }), 'heartbeat');
	const before = hits.length;

	await page.evaluate(() => {
		Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
		document.dispatchEvent(new Event('visibilitychange'));
	});
	await page.clock.runFor(60000);
	await sleep(300);
	ok(hits.length <= before + 1, 'no heartbeat of a hidden page', hits.length - before);
	await where.close();
};

tests.tabs = async () => {
	const where = await context();
	const one = await open(where, 'tabs');

	await viewed(1);
	await open(where, 'tabs', 'next.html');
	await viewed(2);
	is(hits[1]._id, hits[0]._id, 'two tabs are one visitor');
	await open(one, 'tabs', 'next.html');
	await viewed(3);
	const other = await browser.newContext({ ignoreHTTPSErrors: true });

	await open(other, 'tabs');
	await viewed(4);
	ok(views()[3]._id !== hits[0]._id, 'a private window is another visitor');
	await other.close();
	await where.close();
};

tests.back = async () => {
	const where = await context();
	const page = await open(where, 'back');

	await viewed(1);
	await page.evaluate(() => window.addEventListener('pageshow', e => { window.cameBack = e.persisted; }));
	await page.click('#next');
	await viewed(2);
	await page.evaluate(() => { setTimeout(() => history.back()); });
	await viewed(3);
	ok(await page.evaluate(() => window.cameBack), 'the page came from the cache of pages');
	is(views().map(h => h.url.replace(/.*\//, '')).join(), ',next.html,', 'back-forward cache: a page view again');
	ok(views()[2].pv_id !== views()[0].pv_id, 'back-forward cache: with an id of its own');
	await where.close();
};

tests.blocked = async () => {
	let where = await context();
	let page = await where.newPage();
	const control = await where.newCDPSession(page);

	await control.send('Emulation.setDocumentCookieDisabled', { disabled: true });
	await open(page, 'blocked');
	await viewed(1);
	is(hits[0]._id, undefined, 'blocked cookies: no id, which would be another for each page');
	is((await cookiesOf(where, 'shop.test')).length, 0, 'blocked cookies: none is there');
	await where.close();

	where = await context();
	await where.route(/stats\.shop\.test/, route => route.abort());
	page = await open(where, 'blocked');
	await page.click('#play');
	is(await page.evaluate(() => document.documentElement.dataset.whole + typeof window.pk), 'yesfunction', 'a blocked script leaves the page whole');
	is(page.faults.join(), '', 'and breaks nothing');
	is(hits.length, 0, 'and nothing is sent');
	await where.close();

	for (const signal of ['doNotTrack', 'globalPrivacyControl']) {
		where = await context();
		await where.addInitScript(name => Object.defineProperty(navigator, name, { value: name === 'doNotTrack' ? '1' : true }), signal);
		page = await open(where, 'respects');
		await quiet(page);
		is(hits.length + ' ' + (await where.cookies()).length, '0 0', `${signal}: nothing is sent or stored where the site respects it`);
		page = await open(where, 'blocked');
		await viewed(1);
		is(views().length, 1, `${signal}: a site that does not respect it`);
		await where.close();
	}

	where = await context();
	page = await open(where, 'blocked');
	await viewed(1);
	await page.evaluate(() => window.pk('optout'));
	await open(page, 'blocked', 'next.html');
	await quiet(page);
	is(views().length + ' ' + (await cookiesOf(where, 'shop.test')).length, '1 0', 'who opts out sends nothing and keeps no cookie');
	await page.evaluate(() => window.pk('optin'));
	await open(page, 'blocked');
	await viewed(2);
	is(views().length, 2, 'until the visitor opts in');
	await where.close();
};

/* Default rules: the log does not find a visit of yesterday, so the cookie must tell. */
tests.returning = async () => {
	const where = await context();
	let page = await open(where, 'returning');

	await viewed(1);
	await page.close();
	await sleep(300);
	/* a day passes: in the log, and in the cookie */
	const [cookie] = await cookiesOf(where, 'shop.test');
	const [id, visits, ...times] = cookie.value.split('.');

	await where.addCookies([Object.assign(cookie, { value: [id, visits, ...times.map(t => t && t - 86400)].join('.') })]);
	sql(`UPDATE pk_tracking.log_visit SET visit_first_action_time = visit_first_action_time - interval '1 day',
		visit_last_action_time = visit_last_action_time - interval '1 day' WHERE idsite = ${sites.returning};
		UPDATE pk_tracking.log_link_visit_action SET server_time = server_time - interval '1 day' WHERE idsite = ${sites.returning}`);
	page = await open(where, 'returning');
	await viewed(2);
	const hit = views()[1];

	is(`${hit._id === hits[0]._id} ${hit._idvc} ${Math.round((Date.now() / 1000 - hit._viewts) / 3600)}`, 'true 2 24', 'the cookie tells of the day before');
	is(sql(`SELECT string_agg(visitor_returning || ' ' || visitor_count_visits, ', ' ORDER BY idvisit) FROM pk_tracking.log_visit WHERE idsite = ${sites.returning}`),
		'0 1, 1 2', 'two visits on two days: new, then returning');
	await where.close();
};

/* ---- decisions: doc/client.md's table, row by row ---- */

const answers = { agreed: 'granted', refused: 'denied', withdraws: 'granted' };
const changes = { 'agrees on the first page': ['Agree', 'granted'], withdraws: ['Refuse', 'denied'] };

async function decide(row) {
	const [mode, decision, wantedViews, stored, onPage, onDaemon] = row;
	const site = mode.replace(/,.*cookie = off/, ' off');
	const where = await context();
	const page = await where.newPage();
	const what = `${mode}, ${decision}: `;
	const asks = !mode.startsWith('not_asked');
	const answer = answers[decision];
	const change = changes[decision];

	if (answer)
		await where.addInitScript(([key, value]) => {
			if (location.hostname === 'shop.test' && !sessionStorage.getItem('told')) {
				localStorage.setItem(key, value);
				sessionStorage.setItem('told', '1');
			}
		}, [`_pk_consent.${sites[site]}`, answer + '.' + Math.floor(Date.now() / 1000)]);
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
		count(DISTINCT idvisit) FROM pk_tracking.log_link_visit_action WHERE idsite = ${sites[site]}`).replace(/^0$/, 'nothing 0');
	const [, kinds, visits] = /^(.*) (\d+)$/.exec(rows);

	is(kinds + (visits > 1 ? `: ${visits} visits` : ''), stored, what + 'rows of the log');
	is((await cookiesOf(where, 'shop.test')).map(c => c.name.replace(/\d+$/, 'N')).sort().join(', ') || 'none', onPage, what + "cookies on the page's host");
	is((await cookiesOf(where, 'stats.shop.test')).map(c => c.name).sort().join(', ') || 'none', onDaemon, what + "cookies on the daemon's host");
	if (kinds === 'nothing')
		is(hits.length, 0, what + 'no request but those for the scripts');
	is(sql(`SELECT count(*) FROM pk_tracking.log_visit WHERE idsite = ${sites[site]} AND idvisitor IS NULL AND location_ip NOT IN ('0.0.0.0', '::')`), '0', what + 'no address of those who have not agreed');
	is(page.faults.join(), '', what + 'no error');
	sql(`DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = ${sites[site]}; DELETE FROM pk_tracking.log_visit WHERE idsite = ${sites[site]}`);
	await where.close();
}

tests.decisions = async () => {
	const rows = table('Decisions');

	ok(rows.length >= 13, 'doc/client.md has a row for each mode and decision');
	for (const row of isLong ? rows : rows.filter((r, i) => [1, 4, 6, 9, 11].includes(i)))
		await decide(row);
};

/* What each cookie holds, and how long: doc/client.md's other table. */
tests.cookies = async () => {
	const units = { days: 86400, minutes: 60 };

	for (const [name, host, , lives] of table('Cookies')) {
		if (!units[lives.split(' ')[1]])
			continue;
		const where = await context();

		await open(where, name.includes('anonymous') ? 'ask_else_anonymous' : 'plain');
		const found = await until(async () => (await cookiesOf(where, host.startsWith('the page') ? 'shop.test' : 'stats.shop.test'))
			.find(c => c.name.replace(/\.\d+$/, '.N') === name));
		const seconds = found && Math.round(found.expires - Date.now() / 1000);
		const wanted = lives.split(' ')[0] * units[lives.split(' ')[1]];

		ok(found && found.secure && Math.abs(seconds - wanted) < 90, `${name} lives ${lives}`, found ? `${seconds} s, not ${wanted}` : 'it is not there');
		await where.close();
	}
};

/* Which of Matomo's calls are understood. */
tests.documents = async () => {
	const source = fs.readFileSync(path.join(top, 'client/pk.js'), 'utf8');
	const names = text => text.match(/^\t\t\w+(?=[:,])/gm).map(n => n.trim()).sort().join(' ');

	is(table("Matomo's calls").map(r => r[0].split(/, */)).flat().sort().join(' '),
		names(source.split('const calls = {')[1].split('\n\t};')[0]), "doc/client.md lists Matomo's calls");
	is(table('Commands').map(r => /'(\w+)'/.exec(r[0])[1]).sort().join(' '),
		names(source.split('const commands = {')[1].split('\n\t};')[0]), 'doc/client.md lists the commands');
	is(table('Settings').map(r => r[0]).sort().join(' '),
		source.split('const settings = Object.assign({')[1].split('}')[0].match(/\w+(?=:)/g).sort().join(' '), 'doc/client.md lists the settings');
};

/* ---- the window ---- */

tests.window = async () => {
	const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

	for (const [width, height, site, lang] of [[1440, 900, 'ask_else_nothing', 'en'], [360, 640, 'ask_else_nothing', 'de'],
		[1440, 900, 'designed', 'en'], [360, 640, 'designed', 'en']].slice(0, isLong || shots ? 4 : 2)) {
		const where = await context({ viewport: { width, height }, bypassCSP: true });
		const page = await open(where, site, '?lang=' + lang);
		const dialog = page.getByRole('dialog');
		const what = `window, ${site}, ${width} px: `;

		await dialog.waitFor();
		await sleep(200);
		if (shots)
			await page.screenshot({ path: path.join(shots, `${site}-${width}-open.png`) });
		const check = async state => {
			await page.evaluate(axe);
			const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
			const faults = found.violations.filter(v => !/^(region|landmark-one-main|page-has-heading-one)$/.test(v.id));

			is(faults.map(v => v.id + ' ' + v.nodes.map(n => n.target).join()).join('; '), '', what + 'axe-core, ' + state);
		};

		await check('open');
		const buttons = await dialog.getByRole('button').all();
		const [refuse, agree] = await Promise.all(buttons.map(b => b.evaluate(e => {
			const { width: x, height: y } = e.getBoundingClientRect();
			const { color, backgroundColor, fontSize, fontWeight, borderColor } = getComputedStyle(e);
			return JSON.stringify([Math.round(x), Math.round(y), color, backgroundColor, fontSize, fontWeight, borderColor]);
		})));

		is(agree, refuse, what + 'agree and refuse have the same weight');
		const focused = () => page.evaluate(() => {
			const host = document.activeElement;
			return host.shadowRoot ? host.shadowRoot.activeElement.textContent || 'dialog' : host.id || host.tagName;
		});
		const passed = [];

		for (let i = 0; i < 4; i++) {
			passed.push(await focused());
			await page.keyboard.press('Tab');
		}
		ok(passed.every(f => !['next', 'out', 'file', 'play'].includes(f)), what + 'the focus stays inside', passed.join());
		await page.keyboard.press('Escape');
		is(await dialog.isVisible(), false, what + 'Escape closes it');
		await check('closed');
		if (shots)
			await page.screenshot({ path: path.join(shots, `${site}-${width}-closed.png`) });
		await page.focus('#consent');
		await page.keyboard.press('Enter');
		ok(await dialog.isVisible(), what + 'a link opens it again');
		await page.keyboard.press('Escape');
		is(await focused(), 'consent', what + 'the focus goes back');
		await page.evaluate(() => window.pk('consent'));
		ok(await dialog.isVisible(), what + "pk('consent') opens it");
		await page.keyboard.press('Tab');
		for (let i = 0; i < 3 && !/Agree|Zustimmen|Yes/.test(await focused()); i++)
			await page.keyboard.press('Tab');
		await page.keyboard.press('Enter');
		is(await page.evaluate(() => window.pk('state').decision), 'granted', what + 'the keyboard decides');
		await where.close();
	}
};

/* What matomo.js would find in its queue; pk.js is away. */
tests.matomo = async () => {
	for (const [site, undecided, agreed, refused] of [
		['ask_else_nothing', 'appendToTrackingUrl consent=-1, requireConsent', 'appendToTrackingUrl consent=1, requireConsent, setConsentGiven',
			'appendToTrackingUrl consent=0, requireConsent, forgetConsentGiven, deleteCookies'],
		['ask_else_anonymous', 'appendToTrackingUrl consent=-1, disableCookies', 'appendToTrackingUrl consent=1, enableCookies, ping',
			'appendToTrackingUrl consent=0, disableCookies, deleteCookies']]) {
		const where = await context();
		const calls = page => page.evaluate(() => {
			const list = window._paq.map(c => [...c].join(' ')).join(', ');

			window._paq.length = 0;
			return list;
		});

		await where.route(/pk\.js/, route => route.abort());
		const page = await open(where, site);

		is(await calls(page), undecided, `matomo.js, ${site}: undecided`);
		await page.getByRole('button', { name: 'Agree' }).click();
		is(await calls(page), agreed, `matomo.js, ${site}: agrees`);
		await page.click('#consent');
		await page.getByRole('button', { name: 'Refuse' }).click();
		is(await calls(page), refused, `matomo.js, ${site}: refuses`);
		await where.close();
	}
};

(async () => {
	try {
		const started = await w.start({
			plain: {}, calls: {}, time: {}, tabs: {}, back: {}, blocked: {}, returning: {},
			respects: { respect_do_not_track: 'on' },
			not_asked: {},
			ask_else_nothing: { consent_mode: 'ask_else_nothing' },
			ask_else_anonymous: { consent_mode: 'ask_else_anonymous' },
			'ask_else_anonymous off': { consent_mode: 'ask_else_anonymous', anonymous_session_cookie: 'off' },
			designed: { consent_mode: 'ask_else_anonymous', consent_window: JSON.stringify({ position: 'center', policy_url: '/privacy', ask_again_days: 30,
				colors: { background: '#1d2b1f', text: '#f2f5ee', button: '#c9e265', button_text: '#1d2b1f' },
				texts: { en: { title: 'Cookies?', text: 'A number in your browser, so that we know you when you come back.\nNothing else.', agree: 'Yes', refuse: 'No', policy: 'What we do with it' } } }) }
		});

		({ browser, sites, shop } = started);
		sql(`SELECT pk_tracking.add_dimension(${sites.calls}, 'plan', 'visit'), pk_tracking.add_goal(${sites.calls}, 'by hand', 'manually')`);
		for (const name in tests)
			if (!only.length || only.includes(name)) {
				console.log('-- ' + name);
				await tests[name]().catch(e => ok(false, name + ' ran to its end', e.stack));
			}
	} catch (e) {
		ok(false, 'the tests ran', e.stack);
	}
	await w.stop(browser);
})();
