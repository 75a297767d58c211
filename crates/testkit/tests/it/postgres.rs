//! PostgreSQL starts, answers, and keeps databases apart.

use gazer_testkit::postgres::{self, Cluster};

#[tokio::test]
async fn each_database_is_fresh() {
    let one = postgres::fresh_database().await;
    let two = postgres::fresh_database().await;
    assert_ne!(one, two);
    let cluster = Cluster::shared().await;
    let name = one.rsplit('/').next().unwrap();
    assert_eq!(
        cluster.sql(name, "create table t (n int); insert into t values (7); select n from t").await.unwrap(),
        "7"
    );
    let other = two.rsplit('/').next().unwrap();
    assert!(cluster.sql(other, "select n from t").await.unwrap_err().contains("does not exist"));
}
