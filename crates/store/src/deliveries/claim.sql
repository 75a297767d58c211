update deliveries set state = 'leased', epoch = epoch + 1, due_at = $3
where key in (
    select d.key from deliveries d
    where d.id {in list} and d.settled_at is null and d.due_at <= $2
    {skip locked}
) returning id
