from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0007_company_choices'),
    ]

    operations = [
        migrations.AddField(
            model_name='company',
            name='plan_limits',
            field=models.JSONField(db_default={}, default=dict, help_text='{limit: number} of its plan, written by billing.'),
        ),
        migrations.AddField(
            model_name='company',
            name='limit_levels',
            field=models.JSONField(db_default={}, default=dict, help_text='{limit: percent} reached when last looked at.'),
        ),
        migrations.AddField(
            model_name='companylimit',
            name='by',
            field=models.CharField(db_default='', default='', max_length=250),
        ),
        migrations.AddField(
            model_name='companylimit',
            name='expires_at',
            field=models.DateTimeField(help_text='From then on it does not hold.', null=True),
        ),
        migrations.AlterField(
            model_name='companylimit',
            name='kind',
            field=models.CharField(choices=[('api_requests', 'API requests a minute'), ('api_key_requests', 'API requests a minute and key'), ('long_jobs', 'Long jobs at once'), ('imports', 'Imports at once'), ('import_rows', 'Rows of an import'), ('import_mb', 'MB of an import'), ('contacts', 'Contacts and companies'), ('pipelines', 'Pipelines'), ('custom_fields', 'Own fields'), ('storage_mb', 'MB of storage')], max_length=20),
        ),
    ]
