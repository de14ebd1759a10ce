UPDATE servers SET observe_until = 1700000000000 WHERE name = 'demo';
