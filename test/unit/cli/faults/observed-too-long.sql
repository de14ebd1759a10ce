UPDATE servers SET observe_until = (unixepoch() + 30 * 86400) * 1000 WHERE name = 'demo';
