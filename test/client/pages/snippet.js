/* What the owner of a page with matomo.js writes into it. */
window._paq = window._paq || [];
window._paq.push(['trackPageView'], ['enableLinkTracking'], ['setTrackerUrl', 'URL/matomo.php'], ['setSiteId', 'SITE']);
