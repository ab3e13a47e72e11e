/* A page with Matomo's own calls. */
window._paq = window._paq || [];
window._paq.push(['setCustomDimension', 1, 'gold'], ['trackPageView', 'Said'], ['enableLinkTracking'],
	['trackSiteSearch', 'red', 'Shoes', 3], ['trackGoal', 1, 2.5],
	['addEcommerceItem', 'sku1', 'Film', ['Films', 'New'], 9.5, 2], ['trackEcommerceCartUpdate', 19],
	['trackEcommerceOrder', 'o1', 20, 19, 1, 0, 0],
	['trackContentImpression', 'Ad', 'ad.png', '/ad']);
