/*
 * matomo.js with the window.
 */
'use strict';

const { is, context, open } = require('../helpers.js');

const tests = module.exports = {};

/* What matomo.js would find in its queue; pk.js is away. */
tests.matomo = async () => {
	for (const [site, undecided, agreed, refused] of [
		['ask_else_nothing', 'appendToTrackingUrl consent=-1, requireConsent', 'appendToTrackingUrl consent=1, requireConsent, setConsentGiven',
			'appendToTrackingUrl consent=0, requireConsent, forgetConsentGiven, deleteCookies'],
		['ask_else_anonymous', 'appendToTrackingUrl consent=-1, disableCookies', 'appendToTrackingUrl consent=1, setCookieConsentGiven',
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
