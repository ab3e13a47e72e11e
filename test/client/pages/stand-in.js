/*
 * Stands for matomo.js where nobody has laid one: what the window asks of it, as
 * Matomo's documentation of its JavaScript tracker says it.  An unknown call is an
 * error there, too.
 */
(function () {
	'use strict';

	const early = ['requireCookieConsent', 'disableCookies', 'setTrackerUrl', 'setSiteId', 'setCookieConsentGiven', 'requireConsent', 'setConsentGiven'];
	const kept = ['id', 'ses'];
	let url = '', site = '', appended = '', hasCookies = true, needsConsent = false, hasConsent = true, hasSent = false;
	let held = [];

	const nameOf = name => `_pk_${name}.${site}.1fff`;
	const read = name => (document.cookie.split('; ').find(c => c.startsWith(name + '=')) || '').slice(name.length + 1);
	const write = (name, value, age) => { document.cookie = `${name}=${value}; path=/; SameSite=Lax; max-age=${age}`; };
	const removed = 'mtm_consent_removed';

	function request(parameters) {
		let id = '';

		if (hasCookies) {
			id = read(nameOf('id')).split('.')[0] || Math.random().toString(16).slice(2).padEnd(16, '0').slice(0, 16);
			write(nameOf('id'), `${id}.${Math.floor(Date.now() / 1000)}`, 33955200);
			write(nameOf('ses'), '1', 1800);
		}
		const query = new URLSearchParams(Object.assign({ idsite: site, rec: 1, send_image: 0, url: location.href, _id: id }, parameters));

		return query + (appended && '&' + appended);
	}

	function send(query) {
		if (read(removed))
			hasConsent = false;
		if (!hasConsent) {
			held.push(query);
			return;
		}
		hasSent = true;
		navigator.sendBeacon(url, new Blob([query + (needsConsent ? '&consent=1' : '')], { type: 'application/x-www-form-urlencoded; charset=UTF-8' }));
	}

	const tracker = {
		setTrackerUrl: value => { url = value; },
		setSiteId: value => { site = value; },
		appendToTrackingUrl: value => { appended = value; },
		enableLinkTracking: () => {},
		trackPageView: () => send(request({ action_name: document.title })),
		trackEvent: (category, action) => send(request({ e_c: category, e_a: action })),
		ping: () => send(request({ ping: 1 })),
		deleteCookies: () => kept.forEach(name => write(nameOf(name), '', 0)),
		disableCookies: () => {
			hasCookies = false;
			tracker.deleteCookies();
		},
		requireCookieConsent: () => tracker.disableCookies(),
		setCookieConsentGiven: () => {
			if (hasCookies)
				return;
			hasCookies = true;
			if (hasSent)
				tracker.ping();
		},
		requireConsent: () => {
			needsConsent = true;
			hasConsent = hasCookies = false;
		},
		setConsentGiven: () => {
			hasConsent = true;
			write(removed, '', 0);
			held.splice(0).forEach(send);
			tracker.setCookieConsentGiven();
		},
		forgetConsentGiven: () => {
			write(removed, Date.now(), 946080000);
			tracker.disableCookies();
			tracker.requireConsent();
		}
	};

	function run(call) {
		const [name, ...values] = call;

		if (!tracker[name])
			throw new TypeError(`The method '${name}' was not found in "_paq" variable.`);
		tracker[name](...values);
	}

	const queue = window._paq;
	const isEarly = call => early.includes(call[0]);

	early.forEach(name => queue.filter(call => call[0] === name).forEach(run));
	queue.filter(call => !isEarly(call)).forEach(run);
	window._paq = { push: (...calls) => calls.forEach(run) };
})();
