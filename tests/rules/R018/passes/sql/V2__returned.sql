UPDATE orders SET state = 'returned' WHERE id = 7;
