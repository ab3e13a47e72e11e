/*
 * A single-page app: routes, redirections, fragments, back and forward.
 */
'use strict';

const { ok, is, sql, sleep, world, context, open, views, viewed, sent } = require('../helpers.js');

const tests = module.exports = {};

const routes = () => views().map(h => h.url.replace(/.*\/app\//, '')).join(' ');

tests.app = async () => {
	const where = await context();
	const page = await open(where, 'app', 'app/');
	const go = route => page.evaluate(r => window.app.go(r), route);
	const titles = () => views().map(h => h.action_name).join(', ');

	await viewed(1);
	is(routes() + ', ' + titles(), 'home, App: home', 'app: a redirection while it loads is one page view, with the last title');
	await page.click('text=list');
	await viewed(2);
	is(`${routes()}, ${views()[1].action_name}, ${views()[1].urlref.replace(/.*\/app\//, '')}`, 'home list, App: list, home',
		'app: pushState, with its title and the route before');
	await go('older');
	await viewed(3);
	is(routes() + ', ' + views()[2].action_name, 'home list new, App: new', 'app: replaceState at once is a redirection');
	await page.evaluate(() => window.app.note());
	await page.click('text=#terms');
	await sleep(200);
	is(views().length, 3, 'app: a state, or a fragment, is no route');
	await page.click('text=#/cart');
	await viewed(4);
	is(routes(), 'home list new new#/cart', 'app: a route in the fragment');
	await page.evaluate(() => { history.go(-2); });
	await viewed(5);
	await page.evaluate(() => { history.go(2); });
	await viewed(6);
	is(routes(), 'home list new new#/cart new new#/cart', 'app: back and forward');
	is(views()[5].urlref.replace(/.*\/app\//, ''), 'new', 'app: forward, the route before');
	await page.evaluate(() => {
		window.app.go('a');
		window.app.go('b');
		window.pk('event', 'after', 'b');
	});
	await viewed(8);
	is(routes().split(' ').slice(6).sort().join(' '), 'a b', 'app: two routes at once are two page views');
	is(new Set(views().map(h => h.pv_id)).size, 8, 'app: each has an id of its own');
	is(page.faults.join(), '', 'app: no error');
	await sent({ e_c: 'after' });
	is(sql(`SELECT count(DISTINCT idvisit) || ' ' || count(*) FILTER (WHERE kind = 'page') FROM pk_tracking.action WHERE idsite = ${world.sites.app}`), '1 8',
		'app: rows of one visit');
	await where.close();
};

/* What happens before the page has loaded. */
tests.landing = async () => {
	const where = await context();
	let page = await open(where, 'app', 'app/home?utm_campaign=spring');

	await viewed(1);
	is(routes(), 'home?utm_campaign=spring', 'app: a campaign outlives the redirection that removes it');
	await page.close();
	/* an image keeps the page loading */
	page = await where.newPage();
	let arrive;
	const late = new Promise(done => { arrive = done; });

	await page.route(/late\.png/, route => late.then(() => route.fulfill({ body: '' })));
	await page.addInitScript(() => addEventListener('DOMContentLoaded', () => {
		document.body.append(Object.assign(new Image(), { src: '/late.png' }));
		setTimeout(() => window.app.go('list'));
	}));
	const opened = open(page, 'app', 'app/home');

	await viewed(3);
	is(routes().split(' ').slice(1).sort().join(' '), 'home list', 'app: a route before the page has loaded does not take its place');
	ok(views()[1].pv_id !== views()[2].pv_id, 'app: nor its id');
	arrive();
	await opened;
	await where.close();
};

/* Frameworks exchange the body; the window must open again. */
tests.body = async () => {
	const where = await context();
	const page = await open(where, 'ask_else_nothing', 'app/');
	const dialog = page.getByRole('dialog');

	await dialog.waitFor();
	await page.evaluate(() => window.app.exchangeBody());
	is(await dialog.isVisible(), false, 'app: the window goes with the body');
	await page.evaluate(() => window.pk('consent'));
	is(await dialog.isVisible(), true, 'app: and opens in the new one');
	await page.getByRole('button', { name: 'Agree' }).click();
	await viewed(1);
	is(routes() + ' ' + await dialog.isVisible(), 'home false', 'app: the page view is sent then');
	await where.close();
};
